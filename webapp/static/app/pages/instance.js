// The page of an instance: its diagram, its questions, its print-out.
import { drawDiagrams } from './diagram.js';

drawDiagrams();

document.addEventListener('click', event => {
  if (event.target.closest('[data-yl-print]')) print();
});
