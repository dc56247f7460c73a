// What a form says at this moment, and what follows from it: sums, and fields that are shown or not.
import { decimal, reckon, Unknown, written } from './reckon.js';

/** `refresh()` reckons the computed fields and shows or hides what hangs on others. */
export function follow(form) {
  const computed = () => [...form.querySelectorAll('[data-yl-computed]')];
  const inLine = part => part.closest('[data-yl-line]');

  function value(control) {
    if (control.type === 'checkbox') return control.checked;
    if (control.matches('[data-yl-money], [data-yl-amount]')) { const found = decimal(control.value); return Number.isNaN(found) ? null : found; }
    if (control.tagName === 'SELECT' && control.multiple) return [...control.selectedOptions].map(option => option.value);
    return control.value.trim() || null;
  }

  function ofLine(line) {
    const facts = {};
    for (const control of line.querySelectorAll('[name]')) facts[control.name.split('.')[2]] = value(control);
    for (const output of line.querySelectorAll('[data-yl-computed]')) facts[output.dataset.ylName] = output.ylValue ?? null;
    return facts;
  }

  function facts() {
    const found = {};
    for (const holder of form.querySelectorAll('[data-yl-name]')) {
      const name = holder.dataset.ylName;
      if (holder.matches('output')) { if (!inLine(holder)) found[name] = holder.ylValue ?? null; continue; }
      if (holder.matches('[data-yl-table]')) { found[name] = [...holder.querySelectorAll('[data-yl-line]')].map(ofLine); continue; }
      const controls = [...holder.querySelectorAll('[name]')].filter(control => control.name === name);
      if (holder.querySelector('.yl-choices')) found[name] = controls.filter(box => box.checked).map(box => box.value);
      else if (controls.length) found[name] = value(controls[0]);
    }
    return found;
  }

  function show(output, known) {
    try {
      const result = reckon(output.dataset.ylComputed, known);
      output.ylValue = result;
      if (typeof result !== 'bigint') output.textContent = result ?? '—';
      else if (output.dataset.ylKind === 'money') output.textContent = written(result).replace(/^-?/, sign => sign + (output.dataset.ylCurrency === 'CNY' ? '¥' : `${output.dataset.ylCurrency} `));
      else output.textContent = written(result, 0);
    } catch (problem) {
      if (!(problem instanceof Unknown) && !(problem instanceof TypeError)) throw problem;
      output.textContent = '—'; // the server knows
    }
  }

  function refresh() {
    for (const output of computed().filter(inLine)) show(output, ofLine(inLine(output)));
    for (const output of computed().filter(one => !inLine(one))) show(output, facts());
    const known = facts();
    for (const part of form.querySelectorAll('[data-yl-when]')) part.hidden = !holds(JSON.parse(part.dataset.ylWhen), known);
    for (const control of form.querySelectorAll('[data-yl-when] [name]')) control.disabled = !!control.closest('[data-yl-when][hidden]');
  }

  return refresh;
}

function alike(given, wanted) {
  if (Array.isArray(given)) return given.includes(wanted);
  if (typeof given === 'bigint') return given === decimal(wanted);
  return given === wanted;
}

/** The same answers as Condition.holds on the server. */
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
