// Checks made while drawing. The server's are the ones that count; these only answer at once.
import { is, isAny } from 'bpmnlint-utils';
import conditionalFlows from 'bpmnlint/rules/conditional-flows';
import endRequired from 'bpmnlint/rules/end-event-required';
import labelRequired from 'bpmnlint/rules/label-required';
import noDisconnected from 'bpmnlint/rules/no-disconnected';
import noDuplicateFlows from 'bpmnlint/rules/no-duplicate-sequence-flows';
import noOverlap from 'bpmnlint/rules/no-overlapping-elements';
import startRequired from 'bpmnlint/rules/start-event-required';

const camunda = (node, name) => node.get(`camunda:${name}`);

/** A rule of one question: elements of these types that answer it with a text have that problem. */
const ask = (types, question) => () => ({
  check(node, reporter) {
    const problem = isAny(node, types) && question(node);
    if (problem) reporter.report(node.id, problem);
  },
});

const hasLanes = node => (node.$parent?.laneSets || []).length > 0;

const OWN = {
  'somebody': ask(['bpmn:UserTask'], node => !camunda(node, 'assignee') && !camunda(node, 'candidateUsers') && !camunda(node, 'candidateGroups') && !hasLanes(node)
    && 'Nobody is named who does this task'),
  'topic': ask(['bpmn:ServiceTask'], node => !camunda(node, 'topic') && 'No topic is chosen'),
  'decision': ask(['bpmn:BusinessRuleTask'], node => !camunda(node, 'decisionRef') && 'No decision table is chosen'),
  'called': ask(['bpmn:CallActivity'], node => !node.calledElement && 'No called process is chosen'),
  'timer': ask(['bpmn:Event'], node => (node.eventDefinitions || []).some(event => is(event, 'bpmn:TimerEventDefinition')
    && !event.timeDuration && !event.timeDate && !event.timeCycle) && 'The timer has no time'),
};

const RULES = {
  'start-event-required': [startRequired, 'error'],
  'end-event-required': [endRequired, 'error'],
  'no-disconnected': [noDisconnected, 'error'],
  'conditional-flows': [conditionalFlows, 'error'],
  'no-duplicate-sequence-flows': [noDuplicateFlows, 'warn'],
  'label-required': [labelRequired, 'warn'],
  'no-overlapping-elements': [noOverlap, 'warn'],
  ...Object.fromEntries(Object.entries(OWN).map(([name, rule]) => [name, [rule, name === 'somebody' ? 'warn' : 'error']])),
};

/** Without `meta`: it would put links to a foreign site into our pages. */
const withoutMeta = rule => config => ({ ...rule(config), meta: undefined });

export const lintConfig = {
  config: { rules: Object.fromEntries(Object.entries(RULES).map(([name, [, level]]) => [name, level])) },
  resolver: {
    resolveRule: (_package, name) => withoutMeta(RULES[name][0]),
    resolveConfig: name => { throw new Error(`no lint configuration is shared here: ${name}`); },
  },
};
