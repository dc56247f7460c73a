// Groups of a user task (and the start form): form, who does it, approval policy, due.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { Candidates } from './candidates.jsx';
import { check, heading, link, select, text } from './entries.jsx';

const ACTIONS = {
  approve: 'Approve', reject: 'Reject', return: 'Return', abstain: 'Abstain', transfer: 'Transfer', delegate: 'Delegate',
  'add-signer': 'Add signer', 'remove-signer': 'Remove signer', consult: 'Consult', cc: 'Copy to others', circulate: 'Circulate',
};

/** The first value of each is what holds when nothing is written. Values the running version lacks are shown, but cannot be taken. */
const CHOICES = {
  sign: { label: 'How many must agree', values: { or: 'One of them is enough', all: 'All of them', sequential: 'One after the other', vote: 'By vote' } },
  empty: { label: 'When nobody is found', values: { admin: 'Hand it to the administrator', approve: 'Approve by itself', reject: 'Reject by itself', hold: 'Hold and report' } },
  self: { label: 'When the starter is the approver', values: { allow: 'Let the starter do it', skip: 'Skip the step', leader: 'Ask the superior', dept_head: 'Ask the department head' } },
  dedupe: { label: 'When somebody has approved before', values: { none: 'Ask again', consecutive: 'Skip when it was the step before', all: 'Skip whenever it was' } },
};

export function formGroup(element, { pen, t, house }) {
  const isStart = is(element, 'bpmn:StartEvent');
  if (!is(element, 'bpmn:UserTask') && !isBlankStart(element)) return null;
  const key = pen.attribute(element, 'formKey');
  const url = house.forms.find(form => form.key === key)?.url;
  return {
    id: 'yl-form', label: t(isStart ? 'Start form' : 'Form'), entries: [
      select({
        id: 'form-key', label: t('Form'), options: [{ value: '', label: t('<none>') }, ...house.forms.map(form => ({ value: form.key, label: form.name || form.key }))],
        unknown: name => t('{name} (unknown here)', { name }),
        get: () => pen.attribute(element, 'formKey'), set: value => pen.setAttributes(element, { formKey: value }),
      }),
      ...(url ? [link('form-link', t('Open the form'), url)] : []),
    ],
  };
}

const isBlankStart = element => is(element, 'bpmn:StartEvent') && !element.businessObject.eventDefinitions?.length && is(element.businessObject.$parent, 'bpmn:Process');

export function candidatesGroup(element, { t }) {
  if (!is(element, 'bpmn:UserTask')) return null;
  return { id: 'yl-candidates', label: t('Who does it'), entries: [{ id: 'candidates', component: Candidates }] };
}

export function approvalGroup(element, { pen, t, house: { policy } }) {
  if (!is(element, 'bpmn:UserTask')) return null;
  const read = name => pen.property(element, `approval.${name}`);
  const write = (name, value) => pen.setProperty(element, `approval.${name}`, value);
  const named = action => t(ACTIONS[action] || action);
  const allowed = read('allow').split(',').map(part => part.trim()).filter(Boolean);
  const shown = [...policy.allow, ...allowed.filter(action => !policy.allow.includes(action))];
  const untouched = t('When none is ticked: {actions}', { actions: policy.allowDefault.map(named).join(t(', ')) });

  return {
    id: 'yl-approval', label: t('Approval policy'), entries: [
      heading('allow', t('Allowed actions'), untouched),
      ...shown.map(action => check({
        id: `allow-${action}`, label: named(action), get: () => allowed.includes(action),
        set: on => write('allow', shown.filter(other => (other === action ? on : allowed.includes(other))).join(',')),
      })),
      check({ id: 'opinion', label: t('An opinion is required'), get: () => read('opinion') === 'required', set: on => write('opinion', on ? 'required' : '') }),
      ...Object.entries(CHOICES).filter(([name]) => policy[name]?.length).map(([name, { label, values }]) => select({
        id: `policy-${name}`, label: t(label),
        options: Object.entries(values).map(([value, title], at) => {
          const runs = policy[name].includes(value);
          return { value: at === 0 ? '' : value, label: runs ? t(title) : t('{choice} (not in this version)', { choice: t(title) }), disabled: !runs };
        }),
        unknown: value => value,
        get: () => (read(name) === Object.keys(values)[0] ? '' : read(name)), set: value => write(name, value),
      })),
    ],
  };
}

export function dueGroup(element, { pen, t }) {
  if (!is(element, 'bpmn:UserTask')) return null;
  return {
    id: 'yl-due', label: t('Due'), entries: [text({
      id: 'due', label: t('Due after'),
      hint: t('For example working_hours(8), working_days(2), PT4H or an expression such as ${working_hours(limits.remind_hours)}.'),
      get: () => pen.property(element, 'approval.due'), set: value => pen.setProperty(element, 'approval.due', value.trim()),
    })],
  };
}
