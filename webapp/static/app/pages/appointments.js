// The calendar of appointments: what is dragged or clicked opens the dialog; the day is set, the reason is asked.
import { icon } from 'yl';

const dialog = document.getElementById('yl-move');
const KEPT = 'yl-move'; // what was sent last, until it is known that it was taken
let dragged = null;

function ask(plan, day) {
  const form = dialog.querySelector('form'), { ylPlan, at, version, opened, whom, told, on } = plan.dataset;
  form.action = ylPlan;
  form.elements.version.value = version;
  form.elements.opened.value = opened;
  form.elements.due_on.value = day ?? on;
  form.elements.at.value = at;
  form.elements.reason.value = '';
  document.getElementById('yl-move-refused').replaceChildren();
  document.getElementById('yl-move-title').textContent = whom;
  document.getElementById('yl-move-told').textContent = told;
  document.getElementById('yl-move-customer').href = plan.href;
  dialog.showModal();
  form.elements[day ? 'reason' : 'due_on'].focus();
}

dialog.addEventListener('submit', event => {
  const { due_on, at, reason } = event.target.elements;
  sessionStorage.setItem(KEPT, JSON.stringify({ plan: new URL(event.target.action).pathname, day: due_on.value, at: at.value, reason: reason.value }));
});

/** Refused (somebody was faster, it lies in the past): the dialog is there again with what was typed, and says why. */
function again() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null'), refused = document.querySelector('.yl-toast-danger');
  sessionStorage.removeItem(KEPT);
  const plan = kept && refused && document.querySelector(`[data-yl-plan="${CSS.escape(kept.plan)}"]`);
  if (!plan) return;
  ask(plan, kept.day);
  const { elements } = dialog.querySelector('form'), why = document.createElement('p');
  elements.at.value = kept.at;
  elements.reason.value = kept.reason;
  why.append(icon('alert-circle'), refused.querySelector('span').textContent);
  document.getElementById('yl-move-refused').replaceChildren(why);
  refused.remove();
}
again();

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
