// The list of assignment rules of a user task: which rule, and what stands in its brackets.
import { useService } from 'bpmn-js-properties-panel';
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { readRules, writeRules } from '../candidates.js';
import { Picker } from './picker.jsx';

export function Candidates({ element, id }) {
  const translate = useService('translate');
  const pen = useService('pen');
  const { rules: known } = useService('config.house');
  const rules = readRules(pen, element);
  const write = changed => writeRules(pen, element, changed);
  const replace = (at, rule) => write(rules.map((old, index) => (index === at ? rule : old)));

  return <div class="bio-properties-panel-entry ylb-candidates" data-entry-id={ id }>
    { rules.map((rule, at) => <Rule key={ `${element.id}-${at}-${rule.name ?? rule.raw}` } id={ `${id}-${at}` } element={ element } rule={ rule } known={ known }
      onChange={ changed => replace(at, changed) } onRemove={ () => write(rules.filter((_, index) => index !== at)) } />) }
    <p class="ylb-note">{ translate(rules.length > 1 ? 'All people found by any of the rules may take the task.'
      : rules.length ? '' : 'Nobody yet: add a rule.') }</p>
    <select class="bio-properties-panel-input" value="" aria-label={ translate('Add a rule') } data-add-rule
      onChange={ event => { write([...rules, { name: event.target.value, argument: '' }]); event.target.value = ''; } }>
      <option value="">{ `＋ ${translate('Add a rule')}` }</option>
      { known.map(({ name, title }) => <option value={ name } key={ name }>{ title }</option>) }
    </select>
  </div>;
}

function Rule({ id, element, rule, known, onChange, onRemove }) {
  const translate = useService('translate');
  const declared = known.find(({ name }) => name === rule.name);
  const argument = value => onChange({ name: rule.name, argument: value });
  return <div class="ylb-rule">
    <div class="ylb-rule-head">
      { declared
        ? <select class="bio-properties-panel-input" value={ rule.name } aria-label={ translate('Rule') } onChange={ event => onChange({ name: event.target.value, argument: '' }) }>
          { known.map(({ name, title }) => <option value={ name } key={ name }>{ title }</option>) }
        </select>
        : <span class="ylb-unknown">{ translate('As written in the file: {text}', { text: rule.raw ?? (rule.argument ? `${rule.name}(${rule.argument})` : rule.name) }) }</span> }
      <button type="button" title={ translate('Remove this rule') } aria-label={ translate('Remove this rule') } onClick={ onRemove }>×</button>
    </div>
    { declared?.argument && <Argument id={ id } element={ element } kind={ declared.argument } value={ rule.argument } onChange={ argument } /> }
  </div>;
}

/** What stands in the brackets, asked for in the way its kind allows. */
function Argument({ id, element, kind, value, onChange }) {
  const translate = useService('translate');
  const { pickers, forms } = useService('config.house');
  const registry = useService('elementRegistry');
  const pen = useService('pen');
  const label = translate(LABELS[kind] || 'Value');

  if (pickers[kind]) return <Picker id={ id } url={ pickers[kind] } value={ value } label={ label } translate={ translate } onPick={ onChange } />;
  if (kind === 'levels') {
    return <label class="ylb-inline">{ label }<input id={ id } class="bio-properties-panel-input" type="number" min="1" max="9" value={ value || '1' }
      onChange={ event => onChange(event.target.value === '1' ? '' : event.target.value) } /></label>;
  }
  const choices = kind === 'field' ? fields(forms, pen.attribute(element, 'formKey')) : kind === 'node' ? earlierTasks(registry, element) : [];
  if (!choices.length) return <input id={ id } class="bio-properties-panel-input" type="text" aria-label={ label } placeholder={ label } value={ value } onChange={ event => onChange(event.target.value.trim()) } />;
  const listed = choices.some(choice => choice.value === value);
  return <select id={ id } class="bio-properties-panel-input" value={ value } aria-label={ label } onChange={ event => onChange(event.target.value) }>
    { !listed && <option value={ value }>{ value || '…' }</option> }
    { choices.map(choice => <option value={ choice.value } key={ choice.value }>{ choice.label }</option>) }
  </select>;
}

const LABELS = { person: 'Person', position: 'Position', role: 'Role', department: 'Department', levels: 'Levels', field: 'Field of the form', node: 'Task handled earlier' };

function fields(forms, key) {
  const form = forms.find(({ key: own }) => own === key);
  return (form?.fields || []).map(field => ({ value: field.key, label: field.label || field.key }));
}

function earlierTasks(registry, element) {
  return registry.filter(other => is(other, 'bpmn:UserTask') && !other.labelTarget && other !== element)
    .map(({ businessObject: { id, name } }) => ({ value: id, label: name || id }));
}
