// The page of an instance: its diagram, its questions, its print-out.
import { drawDiagrams } from './diagram.js';

drawDiagrams();

document.addEventListener('click', event => {
  const opens = event.target.closest('[data-yl-dialog]');
  if (opens) document.getElementById(opens.dataset.ylDialog).showModal();
  if (event.target.closest('[data-yl-close]')) event.target.closest('dialog').close();
  if (event.target.closest('[data-yl-print]')) print();
});
