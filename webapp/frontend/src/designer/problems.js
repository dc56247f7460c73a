// What is wrong with the diagram: our quick checks and the server's, as marks in the diagram and as a list below it.
import lintModule from 'bpmn-js-bpmnlint';
import { element as make } from '../shared/dom.js';

const Linting = lintModule.linting[1];
const CATEGORY = { error: 'error', warning: 'warn', info: 'info' };

/** The library's checks, joined by what the server found. Where the server has spoken about an element, it speaks alone. */
class JoinedLinting extends Linting {
  constructor(...services) {
    super(...services);
    this._fromServer = [];
  }

  setServerProblems(problems) {
    this._fromServer = problems;
    this.update();
  }

  async lint() {
    const own = await super.lint();
    const spokenOf = new Set(this._fromServer.map(({ where }) => where));
    const quick = Object.entries(own).map(([rule, reports]) => [rule, reports.filter(({ id }) => !spokenOf.has(id))]);
    const server = this._fromServer.map(problem => ({
      id: problem.where, category: CATEGORY[problem.severity] || 'error', message: [problem.message, problem.remedy].filter(Boolean).join(' '), problem,
    }));
    return { ...Object.fromEntries(quick), server };
  }
}

export const problemsModule = { ...lintModule, linting: ['type', JoinedLinting] };

/** Keeps the list in `place` equal to the marks in the diagram; a click leads to the element. */
export function listProblems(place, modeler, translate) {
  const registry = modeler.get('elementRegistry');
  const canvas = modeler.get('canvas');
  place.classList.add('ylb-problems');
  place.setAttribute('aria-live', 'polite');

  function show(id) {
    const element = registry.get(id);
    if (!element) return;
    canvas.setRootElement(canvas.findRoot(element));
    canvas.scrollToElement(element, { top: 80, bottom: 80, left: 120, right: 80 });
    modeler.get('selection').select(element);
  }

  function row({ id, category, message, problem, actualElementId }) {
    const element = registry.get(id);
    const name = element?.businessObject.name || problem?.where || actualElementId || id;
    const severity = category === 'error' ? 'error' : 'warning';
    const line = make('button', { type: 'button', class: `ylb-problem ylb-${severity}` },
      make('span', { class: 'ylb-severity' }, translate(severity)), make('b', {}, name), make('span', {}, problem ? problem.message : translate(message)));
    if (problem?.remedy) line.append(make('small', {}, translate('What to do: {remedy}', { remedy: problem.remedy })));
    line.addEventListener('click', () => show(id));
    return make('li', {}, line);
  }

  modeler.on('linting.completed', ({ issues }) => {
    const found = Object.values(issues).flat().sort((a, b) => rank(a) - rank(b));
    place.replaceChildren(found.length
      ? make('ul', {}, ...found.map(row))
      : make('p', { class: 'ylb-note' }, translate('No problems found')));
  });
}

const rank = ({ category }) => Object.values(CATEGORY).indexOf(category);
