// The process designer: draws BPMN in the camunda: dialect, checks it with the server, saves drafts, deploys versions.
//
//   import { openDesigner } from '…/dist/bpmn-designer.js';
//   const designer = await openDesigner({ canvas, panel, problems, toolbar, loadUrl, … });
//
// Places (elements or selectors): `canvas` and `panel` with a height, `problems` for the list below the canvas, and
// `toolbar`: every [data-act] button below it is wired: undo redo save deploy export import zoom-in zoom-out fit.
//
// Addresses, all same-origin; writes carry X-CSRFToken and JSON {"xml": "…"}:
//   loadUrl    GET  -> the BPMN text; ETag = revision, unless `revision` is given
//   draftUrl   PUT  with If-Match: "revision" (none when there is none yet) -> {"revision"} ; 409 or 412 {"detail"} when somebody else has saved since
//   deployUrl  POST with If-Match -> {"version", "revision"} ; 422 {"problems": [...]} ; 409 or 412 as above
//   lintUrl    POST -> {"problems": [{"where": element id, "rule", "message", "remedy", "severity": "error" | "warning"}]}
//              (problem+json's `errors: [{element, message, remedy}]` is understood as well)
//   pickers    {person, position, role, department: url}; GET url?q=… and url?ids=a,b -> {"items": [{"id", "name", "detail"?}]};
//              the id is what stands in the brackets of a rule: person(3), position(finance)
//
// What may be chosen:
//   rules        [{name, title, argument}]      assignment rules; argument: person position role department levels field node, or null
//   topics       [{name, title, parameters: [name], required: [name]}]
//   forms        [{key, name, url?, fields?: [{key, label}]}]
//   decisions    [{key, name}]
//   definitions  [{key, name}]                  processes a call activity may name
//   policy       {allow, allowDefault, sign, reject, self, empty, dedupe}: lists of what this version runs, see POLICY below;
//                a choice whose list is absent or empty is not shown
//
// csrf, lang ("zh…" or "en…"), confirm(text) -> boolean or promise (asked before an import replaces unsaved work),
// onStatus({state, message, version?, problems?}) with state: loading loaded dirty saving saved deploying deployed
// conflict refused failed. `message` is a whole sentence for the person.
//
// Returns {modeler, save(), deploy(), exportFile(), importFile(), isDirty(), untranslated, destroy()}.
// The bpmn.io mark at the lower right must stay visible: a condition of its licence.
import BpmnModeler from 'bpmn-js/lib/Modeler';
import { BpmnPropertiesPanelModule, BpmnPropertiesProviderModule } from 'bpmn-js-properties-panel';
import TokenSimulationModule from 'bpmn-js-token-simulation';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json';
import minimapModule from 'diagram-js-minimap';
import { fitWithMargin } from '../shared/canvas.js';
import { withDrawing } from '../shared/drawing.js';
import { translateModule, translator } from '../words/translate.js';
import { zh } from '../words/zh.js';
import { diagramModule } from './diagram.js';
import { lintConfig } from './lint.js';
import { providerModule } from './panel/provider.js';
import { penModule } from './pen.js';
import { listProblems, problemsModule } from './problems.js';
import { Refusal, Server } from './server.js';
import { translateSimulation } from './simulation-words.js';
import { chooseFile, download, wireToolbar } from './toolbar.js';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
import '@bpmn-io/properties-panel/dist/assets/properties-panel.css';
import 'bpmn-js-bpmnlint/dist/assets/css/bpmn-js-bpmnlint.css';
import 'bpmn-js-token-simulation/assets/css/bpmn-js-token-simulation.css';
import 'diagram-js-minimap/assets/diagram-js-minimap.css';
import './designer.css';

const LINT_PAUSE = 800; // ms without a change before the server is asked
const PALETTE = 120; // px of the canvas under the tools
const ACTIONS = ['approve', 'reject', 'return'];
const POLICY = { allow: ACTIONS, allowDefault: ACTIONS, sign: ['or'], reject: ['flow'], self: ['allow'] };
const REFUSALS = {
  conflict: 'Somebody else has changed this diagram since you opened it. Nothing of yours is lost: export your diagram, reload the page, then import or redo your change.',
  forbidden: 'You are no longer signed in or may not do this. Export your diagram before you leave the page.',
  silent: 'The server did not answer. Your diagram is still here; try again.',
  failed: 'The server could not do this ({status}). Your diagram is still here; try again.',
};

const place = where => (typeof where === 'string' ? document.querySelector(where) : where);

export async function openDesigner({
  canvas, panel, problems, toolbar, csrf, lang = 'zh', revision, loadUrl, draftUrl, deployUrl, lintUrl,
  rules = [], topics = [], forms = [], decisions = [], definitions = [], policy = POLICY, pickers = {},
  confirm = text => window.confirm(text), onStatus = () => {},
}) {
  const { translate, missing } = translator(lang, zh);
  const server = new Server({ loadUrl, draftUrl, deployUrl, lintUrl, csrf, revision });
  const container = place(canvas);
  container.classList.add('ylb-designer');
  container.dataset.bsTheme = 'light'; // a drawing stays on white paper
  const sheet = place(panel);
  sheet.classList.add('ylb-panel');
  const modeler = new BpmnModeler({
    container,
    propertiesPanel: { parent: sheet },
    linting: { bpmnlint: lintConfig, active: true },
    house: { rules, topics, forms, decisions, definitions, policy, pickers },
    moddleExtensions: { camunda },
    additionalModules: [
      BpmnPropertiesPanelModule, BpmnPropertiesProviderModule, TokenSimulationModule, minimapModule,
      translateModule(translate), penModule, diagramModule, providerModule, problemsModule,
    ],
  });
  const commandStack = modeler.get('commandStack');
  const linting = modeler.get('linting');
  const view = modeler.get('canvas');
  const say = (state, message, more = {}) => onStatus({ state, message: translate(message, more), ...more });
  const currentXml = async () => (await modeler.saveXML({ format: true })).xml;
  let dirty = false;
  let busy = false;

  function setDirty(now) {
    dirty = now;
    if (now) say('dirty', 'Not saved');
  }

  const fit = () => fitWithMargin(view, { left: PALETTE });

  async function open(xml) {
    const { warnings } = await modeler.importXML(await withDrawing(xml));
    fit();
    return warnings;
  }

  /** Run one exchange with the server; whatever it refuses is told, and the diagram stays as it is. */
  async function exchange(begun, work) {
    if (busy) return false;
    busy = true;
    onStatus(begun);
    const before = commandStack._stackIdx;
    try {
      const done = await work(await currentXml());
      dirty = commandStack._stackIdx !== before; // somebody may have gone on drawing meanwhile
      onStatus(done);
      if (dirty) setDirty(true);
      return true;
    } catch (error) {
      tell(error);
      return false;
    } finally {
      busy = false;
    }
  }

  function tell(error) {
    const { kind, detail, status, problems: found } = error;
    if (!(error instanceof Refusal)) {
      say('failed', 'The diagram could not be written: {reason}', { reason: error.message });
    } else if (kind === 'problems') {
      linting.setServerProblems(found);
      say('refused', 'Not deployed. Problems: {count}', { count: found.length, problems: found });
    } else {
      const advice = translate(REFUSALS[kind], { status });
      onStatus({ state: kind === 'conflict' ? 'conflict' : 'failed', message: [detail, advice].filter(Boolean).join(' ') });
    }
  }

  const save = () => exchange({ state: 'saving', message: translate('Saving') }, async xml => {
    await server.save(xml);
    return { state: 'saved', message: translate('Draft saved') };
  });

  const deploy = () => exchange({ state: 'deploying', message: translate('Deploying') }, async xml => {
    const { version } = await server.deploy(xml);
    return { state: 'deployed', version, message: version ? translate('Version {version} deployed', { version }) : translate('Deployed') };
  });

  async function exportFile() {
    const process = modeler.getDefinitions().rootElements.find(root => root.$type === 'bpmn:Process');
    download(`${process?.id || 'diagram'}.bpmn`, await currentXml());
  }

  async function importFile() {
    const text = await chooseFile('.bpmn,.xml');
    if (text === null) return;
    if (dirty && !await confirm(translate('Replace the diagram by the file? What is not saved is lost.'))) return;
    const kept = await currentXml();
    try {
      await open(text);
      setDirty(true);
    } catch (error) {
      await open(kept);
      say('failed', 'The file is not a BPMN diagram: {reason}', { reason: error.message });
    }
  }

  let asked = null;
  let timer = 0;
  async function askServer() {
    asked?.abort();
    asked = new AbortController();
    try {
      linting.setServerProblems(await server.lint(await currentXml(), asked.signal));
    } catch (error) {
      if (error.name === 'AbortError') return;
      const message = error instanceof Refusal ? translate('The checks of the server are out of reach.')
        : translate('The diagram could not be written: {reason}', { reason: error.message });
      linting.setServerProblems([{ where: '', message, severity: 'warning' }]);
    }
  }
  function askServerSoon() {
    clearTimeout(timer);
    if (lintUrl) timer = setTimeout(askServer, LINT_PAUSE);
  }

  const acts = {
    save, deploy, export: exportFile, import: importFile,
    undo: () => commandStack.undo(), redo: () => commandStack.redo(),
    'zoom-in': () => modeler.get('zoomScroll').stepZoom(1), 'zoom-out': () => modeler.get('zoomScroll').stepZoom(-1), fit,
  };
  const leaving = new AbortController(); // takes every listener outside the diagram away with it
  document.addEventListener('keydown', event => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
      event.preventDefault();
      document.activeElement?.blur?.(); // a field of the panel writes when it is left
      save();
    }
  }, { signal: leaving.signal });
  window.addEventListener('beforeunload', event => { if (dirty) event.preventDefault(); }, { signal: leaving.signal });
  if (toolbar) wireToolbar(place(toolbar), acts, commandStack, modeler.get('eventBus'));
  if (problems) listProblems(place(problems), modeler, translate);
  const simulationWords = translateSimulation(container, translate);
  modeler.on('commandStack.changed', () => { setDirty(true); askServerSoon(); });
  modeler.on('import.done', askServerSoon);
  modeler.on('tokenSimulation.toggleMode', ({ active }) => { sheet.inert = active; }); // the drawing is locked then

  say('loading', 'Loading the diagram');
  try {
    const warnings = await open(await server.load());
    dirty = false;
    if (warnings.length) say('loaded', 'The diagram was opened with {count} warnings.', { count: warnings.length });
    else say('loaded', 'Loaded');
  } catch (error) {
    if (error instanceof Refusal) tell(error);
    else say('failed', 'The diagram could not be opened: {reason}', { reason: translate(error.message) });
  }

  return {
    modeler, save, deploy, exportFile, importFile, isDirty: () => dirty, untranslated: missing,
    destroy() { leaving.abort(); clearTimeout(timer); simulationWords.disconnect(); modeler.destroy(); },
  };
}
