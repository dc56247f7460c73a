// Pages of customers and contacts: fields changed in their place, what closes the drawer.
import { confirm, toast } from 'yl';

const find = (selector, scope = document) => scope.querySelector(selector);
const drawer = () => find('#yl-drawer');

document.addEventListener('click', async event => {
  const on = selector => event.target.closest(selector);
  if (on('[data-yl-refusal]')) return toast(on('[data-yl-refusal]').dataset.ylRefusal, 'warning');
  const asks = on('[data-yl-ask]');
  if (asks && await confirm(asks.dataset.ylAsk)) window.htmx.trigger(asks.form, 'yl:sure');
});

// one field at a time: opening another puts the first away
document.addEventListener('htmx:beforeRequest', event => {
  if (event.target.matches?.('[data-yl-edit]')) for (const cancel of document.querySelectorAll('[data-yl-cancel]')) cancel.click();
});
document.addEventListener('htmx:load', event => {
  const form = event.target.matches?.('.yl-fact-form') && event.target;
  if (form) find('input:not([type=hidden]), select, textarea', form)?.focus();
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') find('[data-yl-cancel]', event.target.closest('.yl-fact-form') || document.createElement('i'))?.click();
});
document.addEventListener('yl:saved', () => {
  for (const form of drawer()?.querySelectorAll('[data-yl-dirty]') || []) form.removeAttribute('data-yl-dirty');
  drawer()?.close();
  for (const panel of document.querySelectorAll('.yl-panel:not([hidden])')) window.htmx.trigger(panel, 'yl:refresh');
});
