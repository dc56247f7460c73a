// Line items: added and removed by button and by key (Enter goes down and adds, Alt+Delete removes).
import { enhance } from 'yl';

const FIRST = 'input, select, textarea';

export function lines(form, changed) {
  function add(table) {
    const body = table.querySelector('tbody');
    if (body.children.length >= Number(table.dataset.ylMost)) return;
    const numbers = [...body.querySelectorAll('[name]')].map(control => Number(control.name.split('.')[1]));
    const fresh = table.querySelector('[data-yl-blank]').content.firstElementChild.cloneNode(true);
    for (const part of fresh.querySelectorAll('*')) {
      for (const attribute of ['id', 'name', 'for', 'aria-describedby', 'data-yl-field']) {
        if (part.hasAttribute(attribute)) part.setAttribute(attribute, part.getAttribute(attribute).replace('.#.', `.${Math.max(-1, ...numbers) + 1}.`));
      }
    }
    body.append(fresh);
    enhance(fresh);
    fresh.querySelector(FIRST)?.focus();
    changed();
  }

  function remove(line) {
    const table = line.closest('[data-yl-table]'), neighbour = line.nextElementSibling || line.previousElementSibling;
    line.remove();
    if (neighbour) neighbour.querySelector(FIRST)?.focus(); else add(table);
    changed();
  }

  form.addEventListener('click', event => {
    const adds = event.target.closest('[data-yl-add-line]'), removes = event.target.closest('[data-yl-remove-line]');
    if (adds) add(adds.closest('[data-yl-table]'));
    if (removes) remove(removes.closest('[data-yl-line]'));
  });
  form.addEventListener('keydown', event => {
    const line = event.target.closest('[data-yl-line]');
    if (!line || event.ctrlKey || event.metaKey || event.target.closest('.ts-wrapper')) return;
    if (event.altKey && event.key === 'Delete') { event.preventDefault(); remove(line); }
    if (event.key === 'Enter' && event.target.matches('input:not([type=checkbox], [type=file])')) {
      event.preventDefault();
      const below = line.nextElementSibling, column = event.target.closest('td').cellIndex;
      if (below) below.cells[column].querySelector(FIRST)?.focus(); else add(line.closest('[data-yl-table]'));
    }
  });
}
