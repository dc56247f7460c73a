// Groups about the course of the process: conditions, timers, errors, repetition.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { codeOf } from '../diagram.js';
import { area, note, select, text } from './entries.jsx';

const TIMES = {
  timeDuration: { label: 'After a duration', hint: 'For example PT8H, P2D, working_hours(8) or ${working_hours(limits.remind_hours)}.' },
  timeDate: { label: 'At an instant', hint: 'For example 2026-12-01T09:00:00+08:00 or ${form.needed_on}.' },
  timeCycle: { label: 'Again and again', hint: 'For example R3/PT1H: three times, an hour apart.' },
};
const DECISIONS = { rejected: 'An approver rejects (rejected)', returned: 'An approver returns (returned)' };
const ANOTHER = ' another';

const labelOf = error => (error.name && error.name !== codeOf(error) ? `${error.name} (${codeOf(error)})` : codeOf(error));
const eventDefinition = (element, type) => element.businessObject.eventDefinitions?.find(definition => is(definition, type));

export function conditionGroup(element, { pen, t }) {
  if (!is(element, 'bpmn:SequenceFlow') || element.labelTarget) return null;
  const flow = element.businessObject;
  const source = flow.sourceRef;
  const decides = ['bpmn:ExclusiveGateway', 'bpmn:InclusiveGateway', 'bpmn:ComplexGateway', 'bpmn:Activity'].some(type => is(source, type));
  if (!decides) return null;
  const isDefault = source.default === flow;
  return {
    id: 'ylb-condition', label: t('Condition'), entries: isDefault
      ? [note('condition-default', t('This is the default flow: it is taken when no other condition holds.'))]
      : [area({
        id: 'condition', label: t('Condition expression'), hint: t('For example ${form.total >= 1000}. Variables and form fields may be used.'),
        get: () => pen.expression(flow, 'conditionExpression'), set: value => pen.setExpression(element, flow, 'conditionExpression', value.trim()),
      })],
  };
}

export function timerGroup(element, { pen, t, kinds }) {
  const timer = eventDefinition(element, 'bpmn:TimerEventDefinition');
  if (!timer) return null;
  const written = Object.keys(TIMES).find(name => timer.get(name));
  // A kind without a text is no BPMN yet: it is remembered here until something is typed.
  const kind = written || kinds.get(timer) || 'timeDuration';
  const others = chosen => Object.fromEntries(Object.keys(TIMES).filter(name => name !== chosen).map(name => [name, undefined]));
  return {
    id: 'ylb-timer', label: t('Timer'), entries: [
      select({
        id: 'timer-kind', label: t('Kind'), options: Object.entries(TIMES).map(([value, { label }]) => ({ value, label: t(label) })), unknown: value => value,
        get: () => kind,
        set: chosen => { kinds.set(timer, chosen); pen.setExpression(element, timer, chosen, pen.expression(timer, kind), others(chosen)); },
      }),
      text({
        id: 'timer-value', label: t('Value'), hint: t(TIMES[kind].hint),
        get: () => pen.expression(timer, kind), set: value => pen.setExpression(element, timer, kind, value.trim(), others(kind)),
      }),
    ],
  };
}

export function errorGroup(element, { pen, t, diagram }) {
  const definition = eventDefinition(element, 'bpmn:ErrorEventDefinition');
  if (!definition) return null;
  const error = definition.errorRef;
  const options = [
    ...(is(element, 'bpmn:EndEvent') ? [{ value: '', label: t('<none>') }] : [{ value: '', label: t('Any error') }]),
    ...Object.entries(DECISIONS).map(([code, title]) => ({ value: code, label: t(title) })),
    ...diagram.errors().map(known => ({ value: codeOf(known), label: labelOf(known) })).filter(({ value }) => !(value in DECISIONS)),
    { value: ANOTHER, label: t('Another code ...') },
  ];
  return {
    id: 'ylb-error', label: t('Error'), entries: [
      select({
        id: 'error', label: t('Which error'), options, unknown: value => value,
        get: () => (error ? codeOf(error) : ''),
        set: code => (code === '' ? pen.setOn(element, definition, { errorRef: undefined }) : diagram.setError(element, definition, code === ANOTHER ? '' : code)),
      }),
      ...(error && !(codeOf(error) in DECISIONS) ? [
        text({ id: 'error-code', label: t('Error code'), get: () => error.errorCode || '', set: value => pen.setOn(element, error, { errorCode: value.trim() || undefined }) }),
        text({ id: 'error-name', label: t('Name'), get: () => error.name || '', set: value => pen.setOn(element, error, { name: value.trim() || undefined }) }),
      ] : []),
    ],
  };
}

export function repetitionGroup(element, { pen, t }) {
  const loop = element.businessObject.loopCharacteristics;
  if (!loop || !is(loop, 'bpmn:MultiInstanceLoopCharacteristics')) return null;
  const ours = name => ({ get: () => loop.get(`camunda:${name}`) || '', set: value => pen.setOn(element, loop, { [`camunda:${name}`]: value.trim() || undefined }) });
  const standard = name => ({ get: () => pen.expression(loop, name), set: value => pen.setExpression(element, loop, name, value.trim()) });
  return {
    id: 'ylb-repetition', label: t('Multi-instance'), entries: [
      text({ id: 'collection', label: t('For each in'), ...ours('collection') }),
      text({ id: 'element-variable', label: t('Name of the item'), ...ours('elementVariable') }),
      text({ id: 'cardinality', label: t('How often'), ...standard('loopCardinality') }),
      text({ id: 'completion', label: t('Stop when'), ...standard('completionCondition') }),
    ],
  };
}
