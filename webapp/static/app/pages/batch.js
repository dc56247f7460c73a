// Several entries of the inbox decided alike: ticks, the bar below the list, and what happens to them when the list is drawn afresh.
import { icon, toast, words } from 'yl';
import { grow } from './form.js';

const box = document.querySelector('[data-yl-box]');
const bar = () => document.getElementById('yl-batch');
const boxes = () => [...box.querySelectorAll('.yl-entry-tick input:not([data-yl-alone])')];
const ticked = () => boxes().filter(one => one.checked);

/** What the ticks allow: only entries of one form go together, and not too many. */
function update() {
  const chosen = ticked(), form = chosen[0]?.dataset.ylForm, picking = box.classList.contains('yl-choosing');
  for (const one of boxes()) {
    one.disabled = Boolean(form) && one.dataset.ylForm !== form;
    const label = one.closest('label');
    label.dataset.ylTitle ??= label.title;
    label.title = one.disabled ? bar().dataset.ylOther : label.dataset.ylTitle;
    one.closest('[data-yl-entry]').classList.toggle('yl-ticked', one.checked);
  }
  box.classList.toggle('yl-ticking', picking || chosen.length > 0);
  bar().classList.toggle('yl-shown', chosen.length > 0 || Boolean(bar().querySelector('.yl-refusal')));
  bar().querySelector('[data-yl-batch-count]').textContent = words.selected.replace('{count}', chosen.length);
  bar().querySelector('[data-yl-batch-all]').disabled = !chosen.length;
  for (const button of bar().querySelectorAll('[data-yl-batch-action]')) button.disabled = !chosen.length;
  const toggle = box.querySelector('[data-yl-several]');
  toggle?.setAttribute('aria-pressed', picking);
}

function tooMany() {
  if (ticked().length <= Number(bar().dataset.ylMost)) return false;
  toast(bar().dataset.ylTooMany, 'warning');
  return true;
}

function clear() {
  for (const one of boxes()) one.checked = false;
  bar().querySelector('.yl-refusal')?.remove();
  update();
}

/** Tick or untick an entry by the keyboard; what cannot be ticked says why. */
export function toggle(entry) {
  const label = entry?.querySelector('.yl-entry-tick'), input = label?.querySelector('input');
  if (!input) return;
  if (input.disabled) toast(label.title, 'info'); else input.click();
}

if (bar()) {
  document.addEventListener('change', event => {
    if (!event.target.matches('.yl-entry-tick input')) return;
    if (event.target.checked && tooMany()) event.target.checked = false;
    update();
  });

  document.addEventListener('click', event => {
    if (event.target.closest('[data-yl-several]')) {
      box.classList.toggle('yl-choosing');
      if (!box.classList.contains('yl-choosing')) clear(); else update();
    }
    if (event.target.closest('[data-yl-batch-clear]')) clear();
    if (event.target.closest('[data-yl-batch-all]')) {
      const form = ticked()[0]?.dataset.ylForm, most = Number(bar().dataset.ylMost);
      const same = boxes().filter(one => one.dataset.ylForm === form);
      for (const one of same.filter(one => !one.checked).slice(0, most - ticked().length)) one.checked = true;
      if (same.length > most) toast(bar().dataset.ylTooMany, 'warning');
      update();
    }
  });

  // Before htmx sees the click: a reason where one is needed.
  document.addEventListener('click', event => {
    if (!event.target.closest('[data-yl-batch-action=reject]')) return;
    const opinion = bar().elements.opinion, place = bar().querySelector('[data-yl-batch-needed]');
    if (opinion.value.trim()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const line = document.createElement('p');
    line.append(icon('alert-circle'), place.dataset.ylBatchNeeded);
    place.replaceChildren(line);
    opinion.focus();
  }, true);
  document.addEventListener('input', event => {
    if (!event.target.closest('#yl-batch')) return;
    bar().querySelector('[data-yl-batch-needed]').replaceChildren();
    grow(event.target);
  });

  document.addEventListener('htmx:configRequest', event => {
    const { elt, parameters } = event.detail;
    if (elt.id === 'yl-list') parameters.size = box.querySelectorAll('[data-yl-entry]').length; // as many lines as were looked at
    if (elt.matches('[data-yl-batch-action]') && document.getElementById('yl-pane').checkVisibility()) parameters.key = document.getElementById('yl-pane').dataset.ylKey;
  });
  document.body.addEventListener('yl:batch', event => {
    for (const id of event.detail.done) box.querySelector(`[data-yl-entry="${id}"]`)?.remove();
  });

  // The list is drawn afresh: what was ticked and is still there stays ticked.
  let kept = [];
  document.addEventListener('htmx:beforeSwap', event => {
    if (event.detail.target.id === 'yl-list') kept = ticked().map(one => one.closest('[data-yl-entry]').dataset.ylEntry);
  });
  document.addEventListener('htmx:load', event => {
    if (event.target.id === 'yl-list') {
      for (const one of boxes()) if (kept.includes(one.closest('[data-yl-entry]').dataset.ylEntry)) one.checked = true;
    }
    if (event.target.closest?.('#yl-list, #yl-batch')) update();
  });
  update();
}
