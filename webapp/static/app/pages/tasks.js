// Giving tasks and moving them: files, questions, and one wish sent once.
import { uploads } from './upload.js';

for (const form of document.querySelectorAll('[data-yl-task]')) {
  uploads(form, JSON.parse(form.dataset.ylWords));
  const wish = form.querySelector('[data-yl-submission]');
  if (wish) wish.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}

document.addEventListener('click', event => {
  const opens = event.target.closest('[data-yl-dialog]');
  if (opens) document.getElementById(opens.dataset.ylDialog).showModal();
  if (event.target.closest('[data-yl-close]')) event.target.closest('dialog').close();
});
