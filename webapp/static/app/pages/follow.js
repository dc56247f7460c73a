// The call list and the form of a contact record: the proposed day follows the outcome, keys walk and save.
import { showCount, toast } from 'yl';
import { uploads } from './upload.js';

const find = (selector, scope = document) => scope.querySelector(selector);

/** Once for every form, also those htmx brings. */
function prepare(scope) {
  for (const form of scope.querySelectorAll('[data-yl-record-form]:not([data-yl-ready])')) {
    form.dataset.ylReady = '';
    uploads(form, JSON.parse(form.dataset.ylWords));
  }
  const work = find('#yl-follow');
  if (work && !('ylSeen' in work.dataset)) {
    work.dataset.ylSeen = '';
    if (work.dataset.ylSaid) toast(work.dataset.ylSaid, 'success');
    if ('ylOwn' in work.dataset) showCount('follow', Number(work.dataset.ylWaiting));
    if (innerWidth < 768) find('[data-yl-queue]', work)?.removeAttribute('open');
    else if (work.dataset.ylSaid) find('[name=content]', work)?.focus();
    find('.yl-queue [aria-current]', work)?.scrollIntoView({ block: 'nearest' });
  }
}

document.addEventListener('change', event => {
  if (event.target.matches('[data-yl-submit]')) return event.target.form.requestSubmit();
  if (event.target.name !== 'result') return;
  const next = find('[data-yl-next]', event.target.form), day = next && find('[name=next_on]', next);
  const offered = [next?.dataset.ylUsual, next?.dataset.ylNotReached];
  if (day && offered.includes(day.value)) day.value = event.target.value === 'not_reached' ? next.dataset.ylNotReached : next.dataset.ylUsual;
});

document.addEventListener('keydown', event => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest('[data-yl-record-form]');
    if (form) { event.preventDefault(); form.requestSubmit(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog, .ts-wrapper')) return;
  const work = find('#yl-follow');
  if (!work) return;
  const lines = [...work.querySelectorAll('.yl-queue li a')], here = lines.findIndex(line => line.ariaCurrent);
  const ways = {
    j: () => lines[here + 1]?.click(), k: () => lines[here - 1]?.click(),
    n: () => find('[name=content]', work)?.focus(), c: () => find('[data-yl-dial-now]', work)?.click(),
  };
  if (ways[event.key]) { event.preventDefault(); ways[event.key](); }
});

for (const dialog of document.querySelectorAll('dialog[data-yl-open]')) dialog.showModal();
document.addEventListener('htmx:load', event => prepare(event.target.parentElement ?? document));
prepare(document);
