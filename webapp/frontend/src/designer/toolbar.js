// Gives the page's own buttons their work: any element below `toolbar` with data-act="undo", "save" and so on.

export function wireToolbar(toolbar, acts, commandStack, eventBus) {
  toolbar.addEventListener('click', event => {
    const act = event.target.closest('[data-act]')?.dataset.act;
    if (acts[act]) acts[act]();
  });
  const enable = (act, on) => { for (const button of toolbar.querySelectorAll(`[data-act="${act}"]`)) button.disabled = !on; };
  const follow = () => { enable('undo', commandStack.canUndo()); enable('redo', commandStack.canRedo()); };
  eventBus.on(['commandStack.changed', 'import.done'], follow);
  follow();
}

/** Hands the text to the browser as a download. */
export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/xml' }));
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}

/** Lets the person choose a file; its text, or null when none was chosen. */
export function chooseFile(accept) {
  return new Promise(resolve => {
    const input = Object.assign(document.createElement('input'), { type: 'file', accept });
    input.addEventListener('change', async () => resolve(input.files[0] ? await input.files[0].text() : null));
    input.addEventListener('cancel', () => resolve(null));
    input.click();
  });
}
