// The working calendar: a day that is clicked opens its dialog; a refused change comes back with it open.
const dialog = document.getElementById('cal-day');

const fitFields = () => {
  const kind = dialog.querySelector('[name=kind]').value;
  for (const part of dialog.querySelectorAll('[data-yl-for]')) part.hidden = !part.dataset.ylFor.split(' ').includes(kind);
};

const openDay = button => {
  const { ylDay, kind, name, hours, version, told } = button.dataset;
  const form = dialog.querySelector('form');
  document.getElementById('cal-day-title').textContent = ylDay;
  document.getElementById('cal-day-told').textContent = told.split(' · ').slice(1).join(' · ');
  document.getElementById('cal-day-problems').replaceChildren();
  Object.assign(form.elements.day, { value: ylDay });
  Object.assign(form.elements.version, { value: version });
  Object.assign(form.elements.kind, { value: kind });
  Object.assign(form.elements.namedItem('name'), { value: name });
  Object.assign(form.elements.hours, { value: hours });
  form.elements.shift.checked = false;
  fitFields();
  dialog.showModal();
};

document.addEventListener('click', event => {
  const day = event.target.closest('[data-yl-day]');
  if (day && dialog) openDay(day);
});

if (dialog) {
  dialog.querySelector('[name=kind]').addEventListener('change', fitFields);
  fitFields();
  const refused = document.querySelector('.yl-cal').dataset.ylOpen;
  if (refused) document.getElementById(`cal-${refused}`).showModal();
}
