// The pages around the modeler: dialogs that ask for a new process or files, diagrams to look at.
import { drawDiagrams } from './diagram.js';

drawDiagrams();
for (const dialog of document.querySelectorAll('dialog[data-yl-open]')) dialog.showModal();
