// The diagram of a running (or ended) instance: where the tokens are, where they were, what failed, and with whom.
//
//   import { showInstance } from '…/dist/bpmn-viewer.js';
//   const shown = await showInstance({ canvas, xml, state, lang, onSelect });
//
//   canvas    element (or its selector) with a height; it gets the diagram and three zoom buttons
//   xml       the BPMN of the instance's version
//   state     all parts may be absent; unknown ids are ignored
//     active, done, failed, returned: [element id]   markers of nodes
//     flows:    [sequence flow id]                   the way the tokens took
//     badges:   {element id: text}                   a count or duration at the top left of the element
//     people:   {element id: "李娜、王强"}             with whom it is, below the element
//     labels:   {element id: text | {text, href}}    what a call activity or collapsed sub-process became
//   lang      "zh…" or "en…"
//   readable  scale below which rather the place where things stand is shown than the whole; 0.5 unless told
//   onSelect  called with an element id, or null when the ground is clicked
//
// Returns {viewer, update(state), fit(), zoom(step), select(id), destroy()}.
// The bpmn.io mark at the lower right must stay visible: a condition of its licence.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import { isExpanded } from 'bpmn-js/lib/util/DiUtil';
import { is } from 'bpmn-js/lib/util/ModelUtil';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json';
import { centreOn, fitWithMargin } from '../shared/canvas.js';
import { element as make } from '../shared/dom.js';
import { withDrawing } from '../shared/drawing.js';
import { followTouch } from './touch.js';
import { wheelZoomsOnlyWithCtrl } from './wheel.js';
import { translateModule, translator } from '../words/translate.js';
import { zh } from './words.js';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
import './viewer.css';

const MARKERS = { done: 'ylb-done', flows: 'ylb-taken', returned: 'ylb-returned', active: 'ylb-active', failed: 'ylb-failed' };
const CORNER = { top: -11, left: -12 }; // at the left: boundary events and the labels of what comes next are at the right
const BELOW = { bottom: -4, left: 0 };
const isRoom = element => is(element, 'bpmn:SubProcess') && isExpanded(element);
const READABLE = 0.5; // below this scale a label cannot be read any more
const COMFORTABLE = 0.75;

/** Of the places where things stand the innermost: a sub-process around a task says less than the task. */
const smallest = elements => elements.sort((a, b) => a.width * a.height - b.width * b.height)[0] || null;

export async function showInstance({ canvas: place, xml, state = {}, lang = 'zh', readable = READABLE, onSelect = () => {} }) {
  const container = typeof place === 'string' ? document.querySelector(place) : place;
  container.classList.add('ylb-diagram');
  const { translate } = translator(lang, zh);
  const viewer = new NavigatedViewer({
    container,
    moddleExtensions: { camunda },
    bpmnRenderer: { defaultFillColor: 'var(--ylb-shape)', defaultStrokeColor: 'var(--ylb-line)', defaultLabelColor: 'var(--ylb-text)' },
    zoomScroll: { enabled: false },
    additionalModules: [translateModule(translate)],
  });
  await viewer.importXML(await withDrawing(xml));

  const canvas = viewer.get('canvas');
  const registry = viewer.get('elementRegistry');
  const overlays = viewer.get('overlays');
  let shown = [];
  let focus = null;

  function update(next) {
    for (const [id, marker] of shown) if (registry.get(id)) canvas.removeMarker(id, marker);
    overlays.remove({ type: 'ylb-state' });
    shown = Object.entries(MARKERS).flatMap(([part, marker]) => (next[part] || []).flatMap(id => withContainers(id).map(known => [known, marker])));
    for (const [id, marker] of shown) {
      canvas.addMarker(id, marker);
      if (isRoom(registry.get(id))) canvas.addMarker(id, 'ylb-room');
    }
    for (const [id, text] of Object.entries(next.badges || {})) attach(id, 'ylb-badge', text, CORNER);
    for (const [id, text] of Object.entries(next.people || {})) attach(id, 'ylb-people', text, BELOW);
    for (const [id, label] of Object.entries(next.labels || {})) attach(id, 'ylb-label', label, BELOW);
    focus = smallest([...(next.failed || []), ...(next.active || [])].map(id => registry.get(id)).filter(Boolean));
  }

  /** The element itself and, when it stands inside a collapsed sub-process, the boxes a reader of the top level sees. */
  function withContainers(id) {
    const element = registry.get(id);
    if (!element) return [];
    const boxes = [];
    for (let plane = canvas.findRoot(element); plane && /_plane$/.test(plane.id);) {
      const box = registry.get(plane.id.replace(/_plane$/, ''));
      if (!box) break;
      boxes.push(box.id);
      plane = canvas.findRoot(box);
    }
    return element.waypoints ? [id] : [id, ...boxes];
  }

  function attach(id, kind, content, position) {
    const element = registry.get(id);
    if (!element || !content) return;
    const { text, href } = typeof content === 'string' || typeof content === 'number' ? { text: String(content) } : content;
    const html = make(href ? 'a' : 'span', { class: kind, title: text, ...(href && { href }) }, text);
    if (kind !== 'ylb-badge') html.style.maxWidth = `${Math.max(element.width, 90)}px`;
    overlays.add(id, 'ylb-state', { position, html });
  }

  function fit() {
    if (!container.clientWidth || !container.clientHeight) return;
    fitWithMargin(canvas);
    // On a phone the whole of a wide diagram is a smear: rather show the place where things stand.
    if (canvas.zoom() < readable && focus) centreOn(canvas, focus, Math.max(readable, COMFORTABLE));
  }

  const zoom = step => viewer.get('zoomScroll').stepZoom(step);
  const button = (label, sign, act) => {
    const made = make('button', { type: 'button', title: label, 'aria-label': label }, sign);
    made.addEventListener('click', act);
    return made;
  };
  container.append(make('div', { class: 'ylb-zoom', role: 'group', 'aria-label': translate('View') },
    button(translate('Zoom in'), '+', () => zoom(1)), button(translate('Zoom out'), '−', () => zoom(-1)), button(translate('Fit'), '⤢', fit)));

  viewer.on('element.click', ({ element }) => {
    const id = element.labelTarget?.id || element.id;
    onSelect(element === canvas.getRootElement() ? null : id);
  });
  followTouch(container, canvas);
  wheelZoomsOnlyWithCtrl(container, viewer.get('zoomScroll'));

  // A tab that was hidden when the diagram was read has no size yet; a turned phone has another one.
  const resized = new ResizeObserver(() => { canvas.resized(); fit(); });
  resized.observe(container);

  update(state);
  fit();
  return {
    viewer, update, fit, zoom,
    select(id) { viewer.get('selection').select(registry.get(id) || null); },
    destroy() { resized.disconnect(); viewer.destroy(); container.querySelector('.ylb-zoom')?.remove(); },
  };
}
