// The filter builder of a list: column, operator, value -> one more `f.<column>.<operator>=<value>` in the address.
import { enhance, words } from 'yl';

const option = (value, text) => new Option(text, value);

function labelled(text, control) {
  const label = document.createElement('label');
  label.append(text, control);
  return label;
}

function valueControl(column) {
  if (column.kind === 'bool' || column.kind === 'state') {
    const select = document.createElement('select');
    select.className = 'form-select';
    const choices = column.kind === 'bool' ? { true: words.yes, false: words.no } : column.choices;
    for (const [value, text] of Object.entries(choices)) select.add(option(value, text));
    return select;
  }
  if (column.lookup) {
    const select = document.createElement('select');
    select.className = 'form-select';
    select.dataset.ylRemote = column.lookup;
    select.add(option('', ''));
    return select;
  }
  const input = document.createElement('input');
  input.className = 'form-control';
  input.type = column.kind === 'date' || column.kind === 'datetime' ? 'date' : 'text';
  if (column.kind === 'money' || column.kind === 'number') input.inputMode = 'decimal';
  return input;
}

function draw(form) {
  const place = form.querySelector('[data-yl-builder]'), columns = JSON.parse(form.dataset.ylFilters);
  if (place.childElementCount) return;
  if (!Object.keys(columns).length) { place.closest('details').hidden = true; return; }
  const what = document.createElement('select'), how = document.createElement('select'), slot = document.createElement('div'), apply = document.createElement('button');
  what.className = how.className = 'form-select';
  for (const [name, column] of Object.entries(columns)) what.add(option(name, column.title));
  apply.type = 'button';
  apply.className = 'btn btn-primary';
  apply.textContent = words.apply;
  let value;
  const drawValue = () => {
    const column = columns[what.value], operator = column.operators.find(one => one.code === how.value);
    value = operator.value ? valueControl(operator.reads ? { kind: operator.reads } : column) : null;
    slot.replaceChildren(...(value ? [labelled(words.value, value)] : []));
    enhance(slot);
  };
  const drawHow = () => {
    how.replaceChildren(...columns[what.value].operators.map(one => option(one.code, one.title)));
    drawValue();
  };
  const add = () => {
    if (value && !value.value.trim()) { value.focus(); return; }
    const field = Object.assign(document.createElement('input'), { type: 'hidden', name: `f.${what.value}.${how.value}`, value: value ? value.value : '1' });
    form.append(field);
    place.closest('details').open = false;
    form.requestSubmit();
  };
  what.addEventListener('change', drawHow);
  how.addEventListener('change', drawValue);
  apply.addEventListener('click', add);
  place.addEventListener('keydown', event => { if (event.key === 'Enter' && event.target.matches('input.form-control')) { event.preventDefault(); add(); } });
  place.append(labelled(words.column, what), labelled(words.how, how), slot, apply);
  drawHow();
}

/** Draw the builder of every list in the scope. */
export function build(scope) {
  const forms = scope.matches?.('[data-yl-filters]') ? [scope] : scope.querySelectorAll('[data-yl-filters]');
  for (const form of forms) draw(form);
}
