// The calendar of appointments: what is dragged or clicked opens the dialog; the day is set, the reason is asked.
const dialog = document.getElementById('yl-move');
let dragged = null;

function ask(plan, day) {
  const form = dialog.querySelector('form'), { ylPlan, at, version, whom, told, on } = plan.dataset;
  form.action = ylPlan;
  form.elements.version.value = version;
  form.elements.due_on.value = day ?? on;
  form.elements.at.value = at;
  form.elements.reason.value = '';
  document.getElementById('yl-move-title').textContent = whom;
  document.getElementById('yl-move-told').textContent = told;
  document.getElementById('yl-move-customer').href = plan.href;
  dialog.showModal();
  form.elements[day ? 'reason' : 'due_on'].focus();
}

document.addEventListener('click', event => {
  const plan = event.target.closest('[data-yl-plan]');
  if (!plan || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  ask(plan);
});
document.addEventListener('change', event => { if (event.target.matches('[data-yl-submit]')) event.target.form.requestSubmit(); });

const dayAt = event => event.target.closest?.('[data-yl-drop]');
const leave = () => { for (const day of document.querySelectorAll('.yl-is-over')) day.classList.remove('yl-is-over'); };

document.addEventListener('dragstart', event => {
  dragged = event.target.closest?.('[data-yl-plan]');
  if (!dragged) return;
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', dragged.dataset.whom);
  dragged.classList.add('yl-is-dragged');
});
document.addEventListener('dragover', event => {
  const day = dragged && dayAt(event);
  leave();
  if (!day || day.dataset.ylDrop === dragged.dataset.on) return;
  event.preventDefault();
  day.classList.add('yl-is-over');
});
document.addEventListener('drop', event => {
  const day = dragged && dayAt(event);
  if (!day || day.dataset.ylDrop === dragged.dataset.on) return;
  event.preventDefault();
  ask(dragged, day.dataset.ylDrop);
});
document.addEventListener('dragend', () => {
  dragged?.classList.remove('yl-is-dragged');
  dragged = null;
  leave();
});
