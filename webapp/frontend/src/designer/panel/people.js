// Groups of a user task (and the start form): form, who does it, approval policy, due.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { Candidates } from './candidates.jsx';
import { check, heading, link, select, text } from './entries.jsx';

const ACTIONS = {
  approve: 'Approve', reject: 'Reject', return: 'Return', abstain: 'Abstain', transfer: 'Transfer', delegate: 'Delegate',
  add_signer: 'Add signer', consult: 'Consult', cc: 'Copy to others', circulate: 'Circulate',
};

/** `unset` is what holds when nothing is written. Values the running version lacks are shown, but cannot be taken. */
const CHOICES = {
  sign: {
    label: 'How many must agree', unset: 'or',
    values: { or: 'One of them is enough', all: 'All of them', sequential: 'One after the other', vote: 'By vote' },
  },
  claim: {
    label: 'Who gets an item', unset: '',
    values: { '': 'As the rule above needs it', pool: 'One item all of them share', each: 'An item for everybody' },
  },
  reject: {
    label: 'After a rejection', unset: 'end',
    values: {
      end: 'Take the error event drawn for it, else end the process', flow: 'Go on along the flow', starter: 'Back to the starter',
      previous: 'Back to the step before', ask: 'Ask the person where to',
    },
  },
  after_return: {
    label: 'When it comes again after a return', unset: 'walk',
    values: { walk: 'Through all steps once more', straight_back: 'Straight back to who sent it back' },
  },
  self: {
    label: 'When the starter is the approver', unset: 'leader',
    values: { leader: 'Ask the superior', dept_head: 'Ask the department head', allow: 'Let the starter do it', skip: 'Skip the step' },
  },
  empty: {
    label: 'When nobody is found', unset: 'admin',
    values: { admin: 'Hand it to the administrator', approve: 'Approve by itself', reject: 'Reject by itself', hold: 'Hold and report' },
  },
  dedupe: {
    label: 'When somebody has approved before', unset: 'none',
    values: { none: 'Ask again', consecutive: 'Skip when it was the step before', all: 'Skip whenever it was' },
  },
  circulate: {
    label: 'When it is circulated', unset: 'free',
    values: { free: 'Go on without waiting for the readers', wait: 'Approve only when all have read it' },
  },
  pick: {
    label: 'Who names the people', unset: '',
    values: { '': 'The rule under “Who does it”', starter: 'The starter', approver: 'The approver of the step before' },
  },
  on_due: {
    label: 'When it takes too long', unset: '',
    values: {
      '': 'As the house is set', remind: 'Remind', escalate: 'Remind, then let the superior decide as well', leader: 'Give it to the superior',
      approve: 'Approve by itself', reject: 'Reject by itself',
    },
  },
};

/** Policies written as text. */
const TEXTS = {
  vote_pass: { label: 'Votes needed', hint: 'For example 60% of the weight that votes, or 3 votes. Empty: more than half.' },
  vote_reject: { label: 'Refusals that decide at once', hint: 'A number; empty: the votes decide.' },
  weights: { label: 'Weights of votes', hint: 'person:weight, for example 12:3, 15:2. Everybody else weighs 1.' },
};

export function formGroup(element, { pen, t, house }) {
  const isStart = is(element, 'bpmn:StartEvent');
  if (!is(element, 'bpmn:UserTask') && !isBlankStart(element)) return null;
  const key = pen.attribute(element, 'formKey');
  const url = house.forms.find(form => form.key === key)?.url;
  return {
    id: 'ylb-form', label: t(isStart ? 'Start form' : 'Form'), entries: [
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
  return { id: 'ylb-candidates', label: t('Who does it'), entries: [{ id: 'candidates', component: Candidates }] };
}

const PREFIX = 'approval.';
const REQUIRED = { opinion: 'An opinion is required', signature: 'A signature is required' };

/** A task is an approval, with approve and reject instead of a plain submit, as soon as it has one approval.* property. */
export function approvalGroup(element, { pen, t, house: { policy } }) {
  if (!is(element, 'bpmn:UserTask')) return null;
  const written = pen.properties(element).filter(name => name.startsWith(PREFIX));
  const write = (name, value) => pen.setProperties(element, { [PREFIX + name]: value });
  const become = on => pen.setProperties(element, on ? { [`${PREFIX}allow`]: policy.allowDefault.join(',') } : Object.fromEntries(written.map(name => [name, ''])));
  const isApproval = check({ id: 'is-approval', label: t('This task is an approval'), get: () => written.length > 0, set: become });
  const rest = written.length ? approvalEntries(name => pen.property(element, PREFIX + name), write, policy, t) : [];
  return { id: 'ylb-approval', label: t('Approval policy'), entries: [isApproval, ...rest] };
}

function approvalEntries(read, write, policy, t) {
  const named = read('allow').split(',').map(part => part.trim()).filter(Boolean);
  const allowed = named.length ? named : policy.allowDefault;
  const shown = [...policy.allow, ...named.filter(action => !policy.allow.includes(action))];
  return [
    heading('allow', t('Allowed actions'), policy.allow.includes('return') ? t('A return goes to any step visited; an event “returned” draws its way to the starter.') : ''),
    ...shown.map(action => check({
      id: `allow-${action}`, label: t(ACTIONS[action] || action), get: () => allowed.includes(action),
      set: on => write('allow', shown.filter(other => (other === action ? on : allowed.includes(other))).join(',')),
    })),
    ...['opinion', 'signature'].map(name => check({
      id: name, label: t(REQUIRED[name]), get: () => read(name) === 'required', set: on => write(name, on ? 'required' : ''),
    })),
    ...Object.entries(CHOICES).filter(([name]) => policy[name]?.length).map(([name, { label, unset, values }]) => select({
      id: `policy-${name}`, label: t(label), unknown: value => value,
      options: Object.entries(values).map(([value, title]) => {
        const runs = value === unset || policy[name].includes(value);
        return { value, label: runs ? t(title) : t('{choice} (not in this version)', { choice: t(title) }), disabled: !runs };
      }),
      get: () => read(name) || unset, set: value => write(name, value === unset ? '' : value),
    })),
    ...(read('sign') === 'vote' ? Object.entries(TEXTS) : []).map(([name, { label, hint }]) => text({
      id: `policy-${name}`, label: t(label), hint: t(hint), get: () => read(name), set: value => write(name, value.trim()),
    })),
  ];
}

export function dueGroup(element, { pen, t }) {
  if (!is(element, 'bpmn:UserTask')) return null;
  return {
    id: 'ylb-due', label: t('Due'), entries: [text({
      id: 'due', label: t('Due after'),
      hint: t('For example working_hours(8), working_days(2), PT4H or an expression such as ${working_hours(limits.remind_hours)}.'),
      get: () => pen.attribute(element, 'dueDate'), set: value => pen.setAttributes(element, { dueDate: value.trim() }),
    })],
  };
}
