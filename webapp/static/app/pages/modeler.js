// The page around the modeler: hands it the settings, shows its state, asks before deploying, keeps both sides of a conflict.
import { confirm, csrfToken, toast, words as common } from 'yl';
import { drawDiagrams } from './diagram.js';

const ROOM = matchMedia('(min-width: 900px)'); // as modeler.css has it
const settings = JSON.parse(document.getElementById('designer-settings').textContent);
const { words } = settings;
const status = document.getElementById('dz-status');
const conflict = document.getElementById('dz-conflict');
const clock = () => new Intl.DateTimeFormat(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date());
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function inWords({ state, message, version }) {
  if (state === 'conflict') return ''; // the banner says it
  if (state === 'saved') return fill(words.saved, { time: clock() });
  if (state === 'deployed') return fill(version === settings.version ? words.unchanged : words.deployed, { version });
  return message;
}

function tell(happened) {
  const { state, message, version } = happened;
  status.dataset.state = state;
  status.textContent = inWords(happened);
  status.title = status.textContent;
  conflict.hidden = state !== 'conflict';
  if (state === 'conflict') conflict.querySelector('p').textContent = message;
  if (state === 'failed') toast(message, 'danger');
  if (state === 'saved' || state === 'deployed') {
    mark('draft', state === 'saved');
    document.querySelector('.yl-dz-note').textContent = ''; // whose draft it was before
  }
  if (state === 'deployed') {
    settings.version = version;
    mark('version', true).firstElementChild.textContent = fill(words.version, { version });
  }
}

function mark(name, shown) {
  const chip = document.querySelector(`[data-yl-${name}]`);
  chip.hidden = !shown;
  return chip;
}

async function open() {
  const { openDesigner } = await import(settings.bundle);
  const designer = await openDesigner({
    ...settings, canvas: '#dz-canvas', panel: '#dz-panel', problems: '#dz-problems', toolbar: '#dz-tools', csrf: csrfToken(), confirm, onStatus: tell,
  });
  new ResizeObserver(() => {
    designer.modeler.get('canvas').resized();
    if (!designer.isDirty()) document.querySelector('[data-act=fit]').click(); // nobody has begun to draw: show all of it
  }).observe(document.getElementById('dz-canvas'));
  document.addEventListener('click', async event => {
    if (event.target.closest('[data-yl-save]')) designer.save();
    if (event.target.closest('[data-yl-export]')) designer.exportFile();
    if (event.target.closest('[data-yl-deploy]') && await confirm(fill(words.ask, { version: settings.version + 1 }))) designer.deploy();
  });
}

document.querySelector('[data-yl-goto]')?.addEventListener('change', event => { location.href = event.target.value; });
if (ROOM.matches) open().catch(() => tell({ state: 'failed', message: common.failed }));
else drawDiagrams();
