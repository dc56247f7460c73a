// The drawer shows one record of a list; arrows go to the rows before and after it.
const find = (selector, scope = document) => scope.querySelector(selector);
const drawer = () => find('#yl-drawer');
let row = null;

function openDrawer(wanted) {
  row = wanted;
  return window.htmx.ajax('GET', wanted.dataset.ylDrawer, { target: '#yl-drawer-body' });
}

document.addEventListener('yl:drawer', event => openDrawer(event.target));

function step(by) {
  const rows = [...document.querySelectorAll('tr[data-yl-drawer]')], next = rows[rows.indexOf(row) + by];
  if (next) openDrawer(next);
}

function markSteps() {
  const rows = [...document.querySelectorAll('tr[data-yl-drawer]')], here = rows.indexOf(row);
  for (const button of drawer().querySelectorAll('[data-yl-step]')) button.disabled = here < 0 || !rows[here + Number(button.dataset.ylStep)];
}

document.addEventListener('click', event => {
  const button = event.target.closest('[data-yl-step]');
  if (button) return step(Number(button.dataset.ylStep));
  if (event.target === drawer()) drawer().close();
});
document.addEventListener('htmx:afterSwap', event => {
  if (event.detail.target?.id !== 'yl-drawer-body') return;
  if (!drawer().open) drawer().showModal();
  markSteps();
  (find('.yl-bad :is(input, select, textarea)', drawer()) || find('input:not([type=hidden])', drawer()))?.focus();
});
document.addEventListener('keydown', event => {
  if (drawer()?.open && !event.target.closest('input, select, textarea') && ['ArrowLeft', 'ArrowRight'].includes(event.key)) step(event.key === 'ArrowLeft' ? -1 : 1);
});
