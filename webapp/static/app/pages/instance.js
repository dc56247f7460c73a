// The page of an instance: its diagram, its questions, its print-out; it follows what happens while it is open.
import { enhance } from 'yl';
import { drawDiagrams, updateDiagram } from './diagram.js';

const PULSE = 3_000; // ms between two questions whether anything is new
const PARTS = ['.yl-head-actions', '.yl-instance-line', '.yl-instance-asks', '.yl-instance-tabs', '#yl-tab'];

drawDiagrams();

document.addEventListener('click', event => {
  if (event.target.closest('[data-yl-print]')) print();
});

// ------------------------------------------------------------------------------------------------ following

const page = () => document.querySelector('.yl-instance');
const busy = () => document.hidden || document.querySelector('dialog[open], .yl-instance details[open]') || document.activeElement?.closest('input, textarea, select, .yl-head-actions');

async function look() {
  try {
    if (!busy()) {
      const answer = await fetch(page().dataset.ylPulse, { headers: { Accept: 'application/json' } });
      if (answer.status === 401 || answer.status === 404) return; // signed out, or not to be seen any more
      if (answer.ok && String((await answer.json()).rev) !== page().dataset.ylRev) await renew();
    }
  } catch { /* away; the next question may get through */ }
  if (page().dataset.ylPulse) setTimeout(look, PULSE);
}

async function renew() {
  const answer = await fetch(location.href);
  if (!answer.ok || busy()) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const now = fresh.querySelector('.yl-instance');
  if (!now) return;
  const kept = document.querySelector('#yl-tab [data-yl-diagram][data-yl-ready]');
  const place = now.querySelector('#yl-tab [data-yl-diagram]');
  if (kept && place) place.replaceWith(kept);
  for (const part of PARTS) {
    const old = document.querySelector(part), its = now.querySelector(part);
    if (old && its) { old.replaceWith(its); window.htmx?.process(its); enhance(its); }
  }
  page().dataset.ylRev = now.dataset.ylRev || '';
  if (now.dataset.ylPulse === undefined) delete page().dataset.ylPulse; // it has come to its end
  if (kept) await updateDiagram(kept);
  drawDiagrams();
}

if (page()?.dataset.ylPulse) setTimeout(look, PULSE);
