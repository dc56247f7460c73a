// The call list and the form of a contact record: the proposed day follows the outcome, keys walk and save.
import { showCount, toast } from 'yl';
import { uploads } from './upload.js';

const find = (selector, scope = document) => scope.querySelector(selector);

/** Back leads to a form that was saved: it stays the same form, and what it has written is not written twice. */
function sameAsBefore(form) {
  const field = form.elements.submission;
  if (!field || form.hasAttribute('hx-post')) return;
  const back = performance.getEntriesByType('navigation')[0]?.type === 'back_forward';
  if (back && history.state?.ylSubmission) field.value = history.state.ylSubmission;
  else history.replaceState({ ...history.state, ylSubmission: field.value }, '');
}

/** Once for every form, also those htmx brings. */
function prepare(scope, isFresh = false) {
  for (const form of scope.querySelectorAll('[data-yl-record-form]:not([data-yl-ready])')) {
    form.dataset.ylReady = '';
    sameAsBefore(form);
    uploads(form, JSON.parse(form.dataset.ylWords));
  }
  const work = find('#yl-follow');
  if (work && !('ylSeen' in work.dataset)) {
    work.dataset.ylSeen = '';
    if (work.dataset.ylSaid) toast(work.dataset.ylSaid, 'success');
    if ('ylOwn' in work.dataset) showCount('follow', Number(work.dataset.ylWaiting));
    if (innerWidth < 768) find('[data-yl-queue]', work)?.removeAttribute('open');
    else if (work.dataset.ylSaid) find('[name=content]', work)?.focus();
    if (isFresh && innerWidth < 768 && !find('.yl-alert, .yl-bad', work)) find('.yl-follow-card', work)?.scrollIntoView(); // who is next
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
document.addEventListener('htmx:load', event => prepare(event.target.parentElement ?? document, true));
prepare(document);
