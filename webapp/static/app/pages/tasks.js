// Giving tasks and moving them: files, questions, and one wish sent once.
import { uploads } from './upload.js';

for (const dialog of document.querySelectorAll('dialog[data-yl-open]')) dialog.showModal();

for (const form of document.querySelectorAll('[data-yl-task]')) {
  uploads(form, JSON.parse(form.dataset.ylWords));
  const wish = form.querySelector('[data-yl-submission]');
  if (wish) wish.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}
