// The customer's files: sent up as they are dropped or chosen, hung on the customer by the button.
import { uploads } from './upload.js';

/** Once for every form, also those htmx brings. */
function prepare(scope) {
  for (const form of scope.querySelectorAll('[data-yl-files-form]:not([data-yl-ready])')) {
    form.dataset.ylReady = '';
    const button = form.querySelector('[data-yl-files-add]');
    uploads(form, JSON.parse(form.dataset.ylWords));
    form.addEventListener('input', () => { button.hidden = !form.querySelector('[name=file]'); });
  }
}

prepare(document);
document.addEventListener('htmx:load', event => prepare(event.target.parentElement ?? document));
