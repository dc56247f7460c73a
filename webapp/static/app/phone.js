// The reader's telephone: numbers that dial, calls that pop up, notes saved while they are typed, the bar on top.
import { csrfToken, icon, toast, words } from 'yl';

const PAUSE = 600; // ms after the last key of a note
const pops = document.getElementById('yl-pops');

/** POST a form the way the pages expect it; answers the JSON, or null after a toast with the reason. */
async function post(address, fields, options = {}) {
  const body = new URLSearchParams(fields);
  const headers = { 'X-CSRFToken': csrfToken(), Accept: 'application/json' };
  const answer = await fetch(address, { method: 'POST', body, headers, ...options }).catch(() => null);
  if (answer?.ok) return answer.json();
  const problem = await answer?.json().catch(() => null);
  const reasons = problem?.errors?.map(one => one.message).filter(Boolean).join(' ');
  if (!options.keepalive) toast(reasons || problem?.detail || words.failed, 'danger');
  return null;
}

// ------------------------------------------------------------------------------------------------ dialling

const AGAIN = 1500; // ms; a second click so soon is the same wish
const asking = new Set();

/** Carry out a wish once, however often the button is clicked. */
async function once(name, act) {
  if (asking.has(name)) return;
  asking.add(name);
  try { await act(); } finally { setTimeout(() => asking.delete(name), AGAIN); }
}

async function dial(number, record) {
  const answer = await post(pops.dataset.ylDial, { number, key: crypto.randomUUID?.() ?? String(Math.random()), record: record ?? '' });
  if (answer) toast(pops.dataset.ylDialling, 'info');
  refresh();
}

document.addEventListener('click', event => {
  const link = event.target.closest('[data-yl-call]');
  if (!link || !pops || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  once('dial', () => dial(link.dataset.ylCall, link.dataset.ylRecord?.trim()));
});

document.addEventListener('submit', async event => {
  const form = event.target;
  if (form.matches('[data-yl-dial-form]') && pops) {
    event.preventDefault();
    return once('dial', () => dial(form.elements.number.value).then(() => form.reset()));
  }
  if (!form.matches('form[data-yl-phone]')) return;
  event.preventDefault();
  once(`${form.action} ${new URLSearchParams(new FormData(form))}`, () => ask(form));
});

async function ask(form) {
  const menu = form.closest('details');
  if (menu) menu.open = false;
  const away = form.dataset.ylPhone === 'away' && form.closest('[data-yl-pop]'); // asked now: a refresh may replace the form meanwhile
  if (away) await flush();
  const answer = await post(form.action, new FormData(form));
  if (answer?.text) toast(answer.text, 'success');
  if (!answer || !away) return;
  away.remove();
  refresh(); // one that was under way may have brought it back
}

// ------------------------------------------------------------------------------------------------ notes

const unsaved = new Set();
const timers = new WeakMap();

// What was typed and is not known to be saved: a page that is left at once cannot hear whether its last saving arrived.
const KEPT = 120_000; // ms; later the note may be somebody else's
const keep = field => localStorage.setItem(`yl-note ${field.dataset.ylNote}`, JSON.stringify({ text: field.value, at: Date.now() }));
const forget = field => localStorage.removeItem(`yl-note ${field.dataset.ylNote}`);

/** Take up what an earlier page was left with. */
function restore(field) {
  const kept = JSON.parse(localStorage.getItem(`yl-note ${field.dataset.ylNote}`) ?? 'null');
  if (!kept) return;
  if (kept.text === field.value || Date.now() - kept.at > KEPT) return forget(field);
  field.value = kept.text;
  unsaved.add(field);
  timers.set(field, setTimeout(() => save(field), PAUSE));
}

function say(field, text, failed) {
  const place = field.parentElement.querySelector('[data-yl-note-state]') ?? field.closest('form')?.querySelector('[data-yl-note-state]');
  place?.replaceChildren(icon(failed ? 'alert-triangle' : 'check'), text);
  place?.classList.toggle('yl-ink-red', failed);
}

async function save(field, options) {
  if (!unsaved.delete(field)) return;
  clearTimeout(timers.get(field));
  const text = field.value;
  const answer = await post(field.dataset.ylNote, { text }, options);
  if (!answer) unsaved.add(field); else if (field.value === text) forget(field);
  say(field, answer ? `${pops?.dataset.ylSaved ?? ''} ${answer.saved}` : pops?.dataset.ylUnsaved ?? '', !answer);
}

const flush = options => Promise.all([...unsaved].map(field => save(field, options)));

document.addEventListener('input', event => {
  const field = event.target.closest('[data-yl-note]');
  if (!field) return;
  unsaved.add(field);
  keep(field);
  clearTimeout(timers.get(field));
  timers.set(field, setTimeout(() => save(field), PAUSE));
});
document.addEventListener('focusout', event => { if (event.target.matches?.('[data-yl-note]')) save(event.target); });
document.querySelectorAll('[data-yl-note]').forEach(restore);
addEventListener('pagehide', () => flush({ keepalive: true }));
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') flush({ keepalive: true }); });

// ------------------------------------------------------------------------------------------------ calls that pop up

/** Fresh parts around the note: what is being typed stays as it is, with its caret. */
function merge(shown, fresh) {
  shown.className = fresh.className;
  shown.dataset.ylState = fresh.dataset.ylState;
  for (const part of shown.querySelectorAll('[data-yl-part]')) {
    const other = fresh.querySelector(`[data-yl-part="${part.dataset.ylPart}"]`);
    if (part.contains(document.activeElement) && document.activeElement.matches('input, select')) continue;
    part.replaceWith(other);
  }
  const note = shown.querySelector('[data-yl-note]'), text = fresh.querySelector('[data-yl-note]').value;
  if (note !== document.activeElement && !unsaved.has(note)) note.value = text;
}

let asked = false, again = false;

async function refresh() {
  if (!pops) return;
  if (asked) { again = true; return; }
  asked = true;
  try {
    const answer = await fetch(pops.dataset.ylPops, { headers: { 'HX-Request': 'true' } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = new Map([...page.querySelectorAll('[data-yl-pop]')].map(one => [one.dataset.ylPop, one]));
    for (const shown of pops.querySelectorAll('[data-yl-pop]')) {
      const other = fresh.get(shown.dataset.ylPop);
      if (other) { merge(shown, other); fresh.delete(shown.dataset.ylPop); } else { await flush(); shown.remove(); }
    }
    for (const one of [...fresh.values()].reverse()) { // the newest stays on top
      pops.prepend(document.adoptNode(one));
      restore(one.querySelector('[data-yl-note]'));
    }
  } catch { /* away; the next hint asks again */ } finally {
    asked = false;
    if (again) { again = false; refresh(); }
  }
}

async function refreshBar() {
  const bar = document.getElementById('yl-phone');
  if (!bar || bar.open) return;
  const answer = await fetch(bar.dataset.ylBar, { headers: { 'HX-Request': 'true' } }).catch(() => null);
  const fresh = answer?.ok && new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('yl-phone');
  if (fresh) bar.replaceWith(document.adoptNode(fresh));
}

if (pops) {
  document.body.addEventListener('yl:live-call', async event => {
    const command = event.detail.command;
    if (command === undefined) return refresh();
    const answer = await fetch(pops.dataset.ylCommands.replace(/0$/, command), { headers: { Accept: 'application/json' } }).catch(() => null);
    const text = answer?.ok && (await answer.json()).text;
    if (text) toast(text, 'danger');
    refresh();
  });
  document.body.addEventListener('yl:live-agent', refreshBar);
  document.body.addEventListener('yl:live-resync', () => { refresh(); refreshBar(); });
  document.getElementById('yl-phone')?.addEventListener('toggle', event => { if (!event.target.open) refreshBar(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { refresh(); refreshBar(); } });
  setInterval(() => { if (!document.hidden) refreshBar(); }, 30_000); // a link that goes down tells nobody
  refresh();
}
