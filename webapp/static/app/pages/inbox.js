// The inbox: keys, what is current, what was typed, toasts. Lists and panes themselves come from the server.
import { confirm, icon, showCount, toast, words } from 'yl';
import { toggle } from './batch.js';
import { drawDiagrams } from './diagram.js';
import { grow, prepareForms } from './form.js';
import { goTo } from './hints.js';

const TOAST_TIME = 2000;
const REFUSALS = [403, 404, 409, 422];
const box = document.querySelector('[data-yl-box]');
const pane = () => document.getElementById('yl-pane');
const entries = () => [...box.querySelectorAll('[data-yl-entry]')];

// Going back asks the server: a remembered page would show work that is done by now.
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;

function markCurrent() {
  const key = pane()?.dataset.ylKey;
  for (const entry of entries()) {
    if (entry.dataset.ylEntry === key) entry.setAttribute('aria-current', 'true'); else entry.removeAttribute('aria-current');
  }
}

function arrived(scope) {
  box.querySelector('.yl-tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  prepareForms(scope);
  drawDiagrams(scope);
}

let scrolled = 0;
document.addEventListener('htmx:beforeSwap', event => { if (event.detail.target.id === 'yl-list') scrolled = box.querySelector('[data-yl-entries]')?.scrollTop || 0; });
document.addEventListener('htmx:afterSettle', event => {
  const list = event.detail.target.id === 'yl-list' && box.querySelector('[data-yl-entries]');
  if (list) list.scrollTop = scrolled; // news must not push away what one is looking at
});

document.addEventListener('htmx:afterSwap', event => {
  if (event.detail.target.id === 'yl-pane') {
    if (event.detail.requestConfig.elt.matches('[data-yl-open]')) box.classList.add('yl-box-opened');
    if (matchMedia('(max-width: 991px)').matches) scrollTo(0, 0);
    if (!pane().dataset.ylKey) box.classList.remove('yl-box-opened');
    const refusal = pane().querySelector('.yl-refusal, .yl-bad');
    refusal?.scrollIntoView({ block: 'nearest' });
  }
  markCurrent();
});
document.addEventListener('htmx:load', event => { arrived(event.target.parentElement || document); markCurrent(); });

// A refusal is an answer: it is shown where the button was pressed.
document.addEventListener('htmx:beforeSwap', event => {
  if (REFUSALS.includes(event.detail.xhr.status) && event.detail.xhr.getResponseHeader('Content-Type')?.startsWith('text/html')) {
    const isPage = event.detail.serverResponse.trimStart().startsWith('<!doctype');
    event.detail.shouldSwap = !isPage;
    event.detail.isError = isPage;
  }
});

// What cannot be taken back is asked in the house's own dialog; what was typed is not thrown away by looking at the next item.
document.addEventListener('htmx:confirm', async event => {
  const { verb, target, question } = event.detail;
  const typed = verb === 'get' && target?.id === 'yl-pane' && pane()?.querySelector('form[data-yl-dirty]');
  if (!question && !typed) return;
  event.preventDefault();
  if (!await confirm(question || words.unsaved)) return;
  if (typed) delete typed.dataset.ylDirty;
  event.detail.issueRequest(true);
});
document.addEventListener('htmx:beforeRequest', event => {
  if (event.detail.requestConfig.verb === 'post') delete pane()?.querySelector('form[data-yl-dirty]')?.dataset.ylDirty;
});

document.body.addEventListener('yl:inbox', event => { if (event.detail?.count !== undefined) showCount('inbox', event.detail.count); });
document.body.addEventListener('yl:toast', event => {
  const { text, href, link } = event.detail;
  toast(text, 'success');
  const shown = document.getElementById('yl-toasts').lastElementChild;
  if (href) {
    const leads = document.createElement('a');
    leads.href = href;
    leads.textContent = link;
    shown.querySelector('span').after(leads);
  }
  setTimeout(() => { if (!shown.matches(':hover, :focus-within')) shown.remove(); }, TOAST_TIME);
});

// ------------------------------------------------------------------------------------------------ deciding
document.addEventListener('click', event => {
  const phrase = event.target.closest('[data-yl-phrase]');
  if (phrase) {
    const opinion = document.getElementById('yl-opinion');
    opinion.value = opinion.value.trim() ? `${opinion.value.trim()} ${phrase.textContent}` : phrase.textContent;
    opinion.dispatchEvent(new Event('input', { bubbles: true }));
    phrase.closest('details').open = false;
    opinion.focus();
  }
});

/** Before htmx sees the click: a reason where one is needed, the fields of this step where it has any. */
document.addEventListener('click', event => {
  const button = event.target.closest('[data-yl-action]');
  if (!button) return;
  const opinion = document.getElementById('yl-opinion');
  if (button.hasAttribute('data-yl-wants-reason') && opinion && !opinion.value.trim()) {
    stop(event);
    const place = document.getElementById('errors-opinion'), line = document.createElement('p');
    line.append(icon('alert-circle'), opinion.dataset.ylNeeded);
    place.replaceChildren(line);
    place.closest('.yl-opinion').classList.add('yl-bad');
    opinion.focus();
  } else if (['approve', 'submit'].includes(button.dataset.ylAction)) {
    const bad = button.form?.ylFirstFault?.();
    if (bad) { stop(event); goTo(bad); }
  }
}, true);

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// ------------------------------------------------------------------------------------------------ keys
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input:not([type=checkbox]), textarea, select, [contenteditable], dialog')) return;
  const list = entries().filter(entry => entry.querySelector('[data-yl-open]')), here = list.findIndex(entry => entry.getAttribute('aria-current') || entry.contains(document.activeElement));
  const focused = list.findIndex(entry => entry.contains(document.activeElement));
  const from = focused >= 0 ? focused : here;
  if (event.key === 'j' || event.key === 'k') {
    const next = list[event.key === 'j' ? Math.min(from + 1, list.length - 1) : Math.max(from - 1, 0)];
    next?.querySelector('[data-yl-open]').focus();
    next?.scrollIntoView({ block: 'nearest' });
  }
  if (event.key === 'x') toggle(list[from]);
  if (event.key === '/') { event.preventDefault(); document.getElementById('yl-box-q')?.focus(); }
  if (event.key === 'o') document.getElementById('yl-opinion')?.focus();
});

if (location.hash === '#reject' || location.hash === '#return') document.getElementById('yl-opinion')?.focus();
document.querySelectorAll('#yl-opinion').forEach(grow);
arrived(document);
