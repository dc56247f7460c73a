// A process form while it is filled in. The server checks all of it again and has the last word.
import { drafts } from './draft.js';
import { follow } from './facts.js';
import { goTo, hints } from './hints.js';
import { lines } from './lines.js';
import { decimal, written } from './reckon.js';
import { route } from './route.js';
import { uploads } from './upload.js';

const RAW = 'form[data-yl-request]:not([data-yl-ready])';

export function prepareForms(scope = document) {
  for (const form of scope.querySelectorAll(RAW)) prepare(form);
}

export function grow(area) {
  area.style.height = 'auto';
  if (area.scrollHeight) area.style.height = `${Math.min(area.scrollHeight + 2, 260)}px`;
}

function prepare(form) {
  form.dataset.ylReady = '';
  const said = JSON.parse(form.dataset.ylWords);
  const refresh = follow(form), beside = hints(form, said), draft = drafts(form, said), askRoute = route(form);
  const touched = new Set();

  function changed() {
    refresh();
    draft.soon();
    askRoute();
  }

  lines(form, changed);
  uploads(form, said);

  form.addEventListener('input', event => {
    if (event.target.name) { touched.add(event.target.name); beside.clear(event.target); }
    if (event.target.matches('[data-yl-grow]')) grow(event.target);
    changed();
  });
  form.addEventListener('change', event => {
    if (event.target.tagName === 'SELECT') { touched.add(event.target.name); beside.hint(event.target); }
    changed();
  });
  form.addEventListener('focusin', ({ target }) => {
    if (target.matches('[data-yl-money]')) { target.value = target.value.replaceAll(',', ''); target.select(); }
  });
  form.addEventListener('focusout', ({ target }) => {
    const amount = target.matches('[data-yl-money]') && decimal(target.value);
    if (typeof amount === 'bigint') target.value = written(amount);
    if (target.name && touched.has(target.name)) beside.hint(target);
  });
  form.addEventListener('keydown', event => {
    if (event.key !== 'Enter') return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.querySelector('[data-yl-send], [data-yl-action=approve], [data-yl-action=submit]')?.click();
    } else if (event.target.matches('input:not([type=checkbox], [type=file])') && !event.target.closest('.ts-wrapper')) {
      event.preventDefault(); // Enter in a field never sends a request
    }
  });
  form.addEventListener('submit', event => submit(event, form, beside, draft, said));
  addEventListener('pageshow', event => { if (event.persisted) delete form.dataset.ylSending; });

  form.querySelectorAll('[data-yl-grow]').forEach(grow);
  form.ylFirstFault = beside.first;
  refresh();
  askRoute(0);
}

async function submit(event, form, beside, draft, said) {
  if (event.submitter?.hasAttribute('data-yl-discard') || form.hasAttribute('data-yl-verdict')) return;
  if (form.dataset.ylSending) { event.preventDefault(); return; } // a second click sends nothing
  const bad = beside.first();
  if (bad) { event.preventDefault(); goTo(bad); return; }
  const saving = draft.settled();
  if (saving) { // a draft on its way must be known first, or it would stay behind
    event.preventDefault();
    await saving.catch(() => {});
    setTimeout(() => form.requestSubmit(event.submitter));
    return;
  }
  form.dataset.ylSending = '1';
  const button = form.querySelector('[data-yl-send]'), label = button?.querySelector('span');
  button?.setAttribute('aria-busy', 'true');
  if (label) label.textContent = said.sending;
}

prepareForms();
