// Groups of the tasks the house does by itself: topic and parameters, decision table, called process.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { area, check, note, select, text } from './entries.jsx';

const NOT_A_TOPIC = { class: '', expression: '', delegateExpression: '' };
const RESULTS = { singleEntry: 'One value', singleResult: 'One row', collectEntries: 'One column as a list', resultList: 'All rows as a list' };

const takesTopic = element => is(element, 'bpmn:ServiceTask') || is(element, 'bpmn:SendTask');

export function serviceGroup(element, { pen, t, house }) {
  if (!takesTopic(element)) return null;
  return {
    id: 'ylb-service', label: t('Service'), entries: [
      select({
        id: 'topic', label: t('Topic'), options: [{ value: '', label: t('<none>') }, ...byPackage(house.topics)],
        unknown: name => t('{name} (unknown here)', { name }),
        get: () => pen.attribute(element, 'topic'),
        set: topic => pen.setAttributes(element, { ...NOT_A_TOPIC, type: topic ? 'external' : '', topic }),
      }),
      resultVariable(element, pen, t),
    ],
  };
}

/** "spending.file_request" stands under its package, by its title. */
function byPackage(topics) {
  const packages = new Map();
  for (const { name, title } of topics) {
    const [home] = name.split('.');
    packages.set(home, [...(packages.get(home) || []), { value: name, label: title ? `${title} (${name})` : name }]);
  }
  return [...packages].map(([label, children]) => ({ label, children }));
}

export function parametersGroup(element, { pen, t, house }) {
  if (!takesTopic(element)) return null;
  const topic = house.topics.find(({ name }) => name === pen.attribute(element, 'topic'));
  const declared = topic?.parameters || [];
  const written = new Map(pen.inputs(element));
  const names = [...declared, ...[...written.keys()].filter(name => !declared.includes(name))];
  if (!names.length) return null;
  const label = name => {
    if (topic && !declared.includes(name)) return t('{name} (unknown to this service)', { name });
    return topic?.required?.includes(name) ? t('{name} (required)', { name }) : name;
  };
  return {
    id: 'ylb-parameters', label: t('Parameters'), entries: [
      ...names.map(name => text({
        id: `parameter-${name}`, label: label(name), get: () => written.get(name) || '', set: value => pen.setInput(element, name, value.trim()),
      })),
      note('parameters-hint', t('Text, or an expression such as ${form.total}.')),
    ],
  };
}

export function decisionGroup(element, { pen, t, house }) {
  if (!is(element, 'bpmn:BusinessRuleTask')) return null;
  return {
    id: 'ylb-decision', label: t('Decision table'), entries: [
      select({
        id: 'decision', label: t('Decision'), options: [{ value: '', label: t('<none>') }, ...house.decisions.map(({ key, name }) => ({ value: key, label: name || key }))],
        unknown: name => t('{name} (unknown here)', { name }),
        get: () => pen.attribute(element, 'decisionRef'),
        set: decisionRef => pen.setAttributes(element, { ...NOT_A_TOPIC, type: '', topic: '', decisionRef }),
      }),
      select({
        id: 'decision-result', label: t('Result'), options: [{ value: '', label: t('<none>') }, ...Object.entries(RESULTS).map(([value, title]) => ({ value, label: t(title) }))],
        unknown: value => value,
        get: () => pen.attribute(element, 'mapDecisionResult'), set: mapDecisionResult => pen.setAttributes(element, { mapDecisionResult }),
      }),
      resultVariable(element, pen, t),
    ],
  };
}

function resultVariable(element, pen, t) {
  return text({
    id: 'result-variable', label: t('Keep the result as'),
    get: () => pen.attribute(element, 'resultVariable'), set: value => pen.setAttributes(element, { resultVariable: value.trim() }),
  });
}

export function calledGroup(element, { pen, t, house, modeling }) {
  if (!is(element, 'bpmn:CallActivity')) return null;
  return {
    id: 'ylb-called', label: t('Called process'), entries: [
      select({
        id: 'called', label: t('Process'), options: [{ value: '', label: t('<none>') }, ...house.definitions.map(({ key, name }) => ({ value: key, label: name ? `${name} (${key})` : key }))],
        unknown: name => t('{name} (unknown here)', { name }),
        get: () => element.businessObject.get('calledElement') || '',
        set: key => modeling.updateProperties(element, { calledElement: key || undefined }),
      }),
      check({ id: 'pass-in', label: t('Hand all variables over'), get: () => pen.passesAll(element, 'In'), set: on => pen.setPassesAll(element, 'In', on) }),
      check({ id: 'pass-out', label: t('Take all variables back'), get: () => pen.passesAll(element, 'Out'), set: on => pen.setPassesAll(element, 'Out', on) }),
    ],
  };
}

export function scriptGroup(element, { pen, t, modeling }) {
  if (!is(element, 'bpmn:ScriptTask')) return null;
  const script = element.businessObject;
  return {
    id: 'ylb-script', label: t('Script'), entries: [area({
      id: 'script', label: t('Assignments'), hint: t('One assignment to a line in the language of expressions, for example total = form.amount * 2.'),
      get: () => script.get('script') || '', set: value => modeling.updateProperties(element, { script: value.trim() || undefined }),
    })],
  };
}
