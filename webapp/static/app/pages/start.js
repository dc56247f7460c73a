// Finds a process while its name is typed.
const finder = document.querySelector('[data-yl-finder]');

finder?.addEventListener('input', () => {
  const wanted = finder.value.trim().toLowerCase();
  let shown = 0;
  for (const group of document.querySelectorAll('[data-yl-group-of-tiles]')) {
    let here = 0;
    for (const tile of group.querySelectorAll('[data-yl-find]')) {
      tile.hidden = !tile.dataset.ylFind.toLowerCase().includes(wanted);
      here += !tile.hidden;
    }
    group.hidden = !here;
    shown += here;
  }
  const often = document.querySelector('[data-yl-tiles]');
  if (often) often.hidden = often.previousElementSibling.hidden = !!wanted;
  document.querySelector('[data-yl-nothing]').hidden = shown > 0;
});
finder?.addEventListener('keydown', event => {
  if (event.key === 'Enter') document.querySelector('section:not([hidden]) [data-yl-find]:not([hidden])')?.click();
});
