// A process form while it is filled in: hints, conditions, sums, lines, draft, the way it will take. The server checks all
// of it again and has the last word.
import { csrfToken, enhance, icon } from 'yl';
import { decimal, reckon, Unknown, written } from './reckon.js';
import { uploads } from './upload.js';

const DRAFT_PAUSE = 1200;
const ROUTE_PAUSE = 500;

export function prepareForms(scope = document) {
  const forms = [...scope.querySelectorAll('form[data-yl-request]:not([data-yl-ready])')];
  if (scope.matches?.('form[data-yl-request]:not([data-yl-ready])')) forms.push(scope);
  forms.forEach(prepare);
}

function prepare(form) {
  form.dataset.ylReady = '';
  const said = JSON.parse(form.dataset.ylWords);
  const computed = () => [...form.querySelectorAll('[data-yl-computed]')];
  const touched = new Set();

  // ---------------------------------------------------------------------------------------------- values
  function value(control) {
    if (control.type === 'checkbox') return control.checked;
    if (control.matches('[data-yl-money], [data-yl-amount]')) { const found = decimal(control.value); return Number.isNaN(found) ? null : found; }
    if (control.tagName === 'SELECT' && control.multiple) return [...control.selectedOptions].map(option => option.value);
    return control.value.trim() || null;
  }

  function factsOfLine(line) {
    const facts = {};
    for (const control of line.querySelectorAll('[name]')) facts[control.name.split('.')[2]] = value(control);
    for (const output of line.querySelectorAll('[data-yl-computed]')) facts[output.dataset.ylName] = output.ylValue ?? null;
    return facts;
  }

  function facts() {
    const found = {};
    for (const holder of form.querySelectorAll('[data-yl-name]')) {
      const name = holder.dataset.ylName;
      if (holder.matches('output')) { if (!holder.closest('[data-yl-line]')) found[name] = holder.ylValue ?? null; continue; }
      if (holder.matches('[data-yl-table]')) { found[name] = [...holder.querySelectorAll('[data-yl-line]')].map(factsOfLine); continue; }
      const controls = [...holder.querySelectorAll('[name]:not([name=_present])')].filter(control => control.name === name);
      const boxes = controls.filter(control => control.type === 'checkbox');
      if (holder.querySelector('.yl-choices')) found[name] = boxes.filter(box => box.checked).map(box => box.value);
      else if (controls.length) found[name] = value(controls[0]);
    }
    return found;
  }

  // ---------------------------------------------------------------------------------------------- sums and conditions
  function recompute() {
    for (const output of computed().filter(one => one.closest('[data-yl-line]'))) show(output, factsOfLine(output.closest('[data-yl-line]')));
    for (const output of computed().filter(one => !one.closest('[data-yl-line]'))) show(output, facts());
  }

  function show(output, known) {
    try {
      const result = reckon(output.dataset.ylComputed, known);
      output.ylValue = result;
      if (typeof result !== 'bigint') output.textContent = result ?? '—';
      else if (output.dataset.ylKind === 'money') output.textContent = (output.dataset.ylCurrency === 'CNY' ? '¥' : `${output.dataset.ylCurrency} `) + written(result);
      else output.textContent = written(result, 0);
    } catch (problem) {
      if (!(problem instanceof Unknown) && !(problem instanceof TypeError)) throw problem;
      output.textContent = '—';
    }
  }

  function alike(given, wanted) {
    if (Array.isArray(given)) return given.includes(wanted);
    if (typeof given === 'bigint') return given === decimal(wanted);
    return given === wanted;
  }

  function holds({ field, op, value: wanted }, known) {
    const given = known[field] ?? null;
    switch (op) {
      case 'set': return given !== null && given !== false && given.length !== 0;
      case 'ne': return !alike(given, wanted);
      case 'gt': case 'lt': {
        if (given === null) return false;
        const limit = typeof given === 'bigint' ? decimal(wanted) : wanted;
        return op === 'gt' ? given > limit : given < limit;
      }
      default: return [wanted].flat().some(one => alike(given, one));
    }
  }

  function followConditions() {
    const known = facts();
    for (const part of form.querySelectorAll('[data-yl-when]')) part.hidden = !holds(JSON.parse(part.dataset.ylWhen), known);
    for (const control of form.querySelectorAll('[data-yl-when] [name]')) control.disabled = !!control.closest('[data-yl-when][hidden]');
  }

  // ---------------------------------------------------------------------------------------------- hints
  const errorsOf = control => document.getElementById(`errors-${control.name}`);

  function fault(control) {
    if (control.disabled) return '';
    const text = control.tagName === 'SELECT' ? [...control.selectedOptions].map(one => one.value).join('') : control.value.trim();
    if (!text) return control.hasAttribute('data-yl-required') && control.type !== 'checkbox' && !isBlankLine(control) ? said.required : '';
    if (!control.matches('[data-yl-money], [data-yl-amount]')) return '';
    const amount = decimal(text), { ylMin: least, ylMax: most } = control.dataset;
    if (Number.isNaN(amount)) return said.number;
    if (least !== undefined && amount < decimal(least)) return said.least.replace('{limit}', least);
    if (most !== undefined && amount > decimal(most)) return said.most.replace('{limit}', most);
    return '';
  }

  /** A further line nobody has begun is not sent, so it lacks nothing. */
  function isBlankLine(control) {
    const line = control.closest('[data-yl-line]');
    if (!line || line.parentElement.children.length === 1) return false;
    return [...line.querySelectorAll('[name]')].every(one => one.type === 'checkbox' ? !one.checked : !one.value.trim());
  }

  function hint(control) {
    const text = fault(control), place = errorsOf(control), holder = control.closest('td, .yl-field');
    if (!place) return text;
    place.replaceChildren();
    if (text) {
      const line = document.createElement('p');
      line.append(icon('alert-circle'), text);
      place.append(line);
    }
    holder?.classList.toggle('yl-bad', !!text);
    control.toggleAttribute('aria-invalid', !!text);
    return text;
  }

  const controls = () => [...form.querySelectorAll('[name]:not([type=hidden])')];

  function firstFault() {
    return controls().filter(control => hint(control))[0];
  }

  // ---------------------------------------------------------------------------------------------- lines
  function addLine(table, after = null) {
    const body = table.querySelector('tbody'), most = Number(table.dataset.ylMost);
    if (body.children.length >= most) return null;
    const next = Math.max(-1, ...[...body.querySelectorAll('[name]')].map(control => Number(control.name.split('.')[1]))) + 1;
    const fresh = table.querySelector('[data-yl-blank]').content.firstElementChild.cloneNode(true);
    for (const part of fresh.querySelectorAll('*')) {
      for (const attribute of ['id', 'name', 'for', 'aria-describedby', 'data-yl-field']) {
        if (part.hasAttribute(attribute)) part.setAttribute(attribute, part.getAttribute(attribute).replace('.#.', `.${next}.`));
      }
    }
    if (after) after.after(fresh); else body.append(fresh);
    enhance(fresh);
    fresh.querySelector('input, select, textarea')?.focus();
    changed();
    return fresh;
  }

  function removeLine(line) {
    const table = line.closest('[data-yl-table]'), neighbour = line.nextElementSibling || line.previousElementSibling;
    line.remove();
    if (neighbour) neighbour.querySelector('input, select, textarea')?.focus(); else addLine(table);
    changed();
  }

  // ---------------------------------------------------------------------------------------------- draft
  const saved = document.getElementById('yl-saved');
  let draftTimer = 0, saving = null, again = false, unsaved = false;

  function tell(text, failed = false) {
    if (!saved) return;
    saved.replaceChildren(icon(failed ? 'alert-triangle' : 'check'), text);
    saved.classList.toggle('yl-ink-red', failed);
  }

  function saveSoon() {
    if (!form.dataset.ylDraftUrl) return;
    unsaved = true;
    clearTimeout(draftTimer);
    draftTimer = setTimeout(save, DRAFT_PAUSE);
  }

  async function save(last = false) {
    clearTimeout(draftTimer);
    if (!unsaved || form.dataset.ylSending) return;
    if (saving) { again = true; return; }
    const body = new FormData(form);
    unsaved = false;
    saving = fetch(form.dataset.ylDraftUrl, { method: 'POST', body, keepalive: last, headers: { 'X-CSRFToken': csrfToken(), Accept: 'application/json' } });
    try {
      const answer = await saving;
      if (!answer.ok) throw new Error(answer.status);
      const kept = await answer.json();
      form.elements.draft.value = kept.draft;
      history.replaceState(history.state, '', `?draft=${kept.draft}`);
      delete form.dataset.ylDirty;
      tell(said.saved.replace('{time}', kept.saved));
    } catch {
      unsaved = true;
      form.dataset.ylDirty = '1'; // only now would leaving lose something: ask first
      tell(said.unsaved, true);
    } finally {
      saving = null;
      if (again) { again = false; save(); }
    }
  }
  addEventListener('pagehide', () => save(true)); // a last time, on the way out
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') save(true); });

  // ---------------------------------------------------------------------------------------------- the way it will take
  const route = document.getElementById('yl-route');
  let routeTimer = 0, routeAsked = null;

  function routeSoon(pause = ROUTE_PAUSE) {
    if (!form.dataset.ylRouteUrl || !route) return;
    clearTimeout(routeTimer);
    routeTimer = setTimeout(async () => {
      routeAsked?.abort();
      routeAsked = new AbortController();
      route.setAttribute('aria-busy', 'true');
      try {
        const answer = await fetch(form.dataset.ylRouteUrl, { method: 'POST', body: new FormData(form), signal: routeAsked.signal, headers: { 'X-CSRFToken': csrfToken() } });
        if (answer.ok) route.innerHTML = await answer.text();
        route.removeAttribute('aria-busy');
      } catch { /* replaced by a newer question, or offline: the old answer stays */ }
    }, pause);
  }

  // ---------------------------------------------------------------------------------------------- events
  function changed() {
    recompute();
    followConditions();
    saveSoon();
    routeSoon();
  }

  form.addEventListener('input', event => {
    if (event.target.name) touched.add(event.target.name);
    const place = event.target.name && errorsOf(event.target);
    if (place) { place.replaceChildren(); event.target.removeAttribute('aria-invalid'); }
    if (event.target.matches?.('[data-yl-grow]')) grow(event.target);
    changed();
  });
  form.addEventListener('change', event => { if (event.target.tagName === 'SELECT') { touched.add(event.target.name); hint(event.target); } changed(); });
  form.addEventListener('focusin', event => {
    if (event.target.matches('[data-yl-money]')) { event.target.value = event.target.value.replaceAll(',', ''); event.target.select(); }
  });
  form.addEventListener('focusout', event => {
    const control = event.target;
    if (control.matches('[data-yl-money]')) {
      const amount = decimal(control.value);
      if (typeof amount === 'bigint') control.value = written(amount);
    }
    if (control.name && touched.has(control.name)) hint(control);
  });
  form.addEventListener('click', event => {
    const adds = event.target.closest('[data-yl-add-line]'), removes = event.target.closest('[data-yl-remove-line]');
    if (adds) addLine(adds.closest('[data-yl-table]'));
    if (removes) removeLine(removes.closest('[data-yl-line]'));
  });
  form.addEventListener('keydown', event => {
    const line = event.target.closest('[data-yl-line]');
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return form.querySelector('[data-yl-send], [data-yl-action=approve], [data-yl-action=submit]')?.click();
    }
    if (line && event.altKey && event.key === 'Delete') { event.preventDefault(); return removeLine(line); }
    if (event.key !== 'Enter' || !event.target.matches('input:not([type=checkbox]):not([type=file])')) return;
    if (event.target.closest('.ts-wrapper')) return;
    event.preventDefault(); // Enter in a field never sends a request
    if (!line) return;
    const column = event.target.closest('td').cellIndex, below = line.nextElementSibling;
    if (below) below.cells[column].querySelector('input, select, textarea')?.focus(); else addLine(line.closest('[data-yl-table]'));
  });
  form.addEventListener('submit', async event => {
    if (event.submitter?.hasAttribute('data-yl-discard') || form.hasAttribute('data-yl-verdict')) return;
    if (form.dataset.ylSending) return event.preventDefault(); // a second click sends nothing
    const bad = firstFault();
    if (bad) { event.preventDefault(); (bad.tomselect || bad).focus(); bad.scrollIntoView({ block: 'center' }); return; }
    clearTimeout(draftTimer);
    if (saving) { // the draft on its way must be known first, or it would stay behind
      event.preventDefault();
      await saving.catch(() => {});
      setTimeout(() => form.requestSubmit(event.submitter));
      return;
    }
    form.dataset.ylSending = '1';
    const button = form.querySelector('[data-yl-send]');
    button?.setAttribute('aria-busy', 'true');
    const label = button?.querySelector('span');
    if (label) label.textContent = said.sending;
  });
  addEventListener('pageshow', event => { if (event.persisted) delete form.dataset.ylSending; });

  uploads(form, said);
  form.querySelectorAll('[data-yl-grow]').forEach(grow);
  form.ylFirstFault = firstFault;
  recompute();
  followConditions();
  routeSoon(0);
}

export function grow(area) {
  area.style.height = 'auto';
  if (area.scrollHeight) area.style.height = `${Math.min(area.scrollHeight + 2, 260)}px`;
}

prepareForms();
