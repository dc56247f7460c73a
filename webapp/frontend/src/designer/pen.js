// Reads and writes what our panel edits. Every write is one command, so undo takes back exactly one change.
// Objects of the diagram are never changed in place: a command replaces them, and undo puts the old ones back.
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

const camunda = name => `camunda:${name}`;
const isPassAll = (value, direction) => is(value, camunda(direction)) && value.variables === 'all';
const present = value => (value === '' ? undefined : value);

export class Pen {
  constructor(modeling, bpmnFactory) {
    this._modeling = modeling;
    this._factory = bpmnFactory;
  }

  attribute(element, name) {
    return getBusinessObject(element).get(camunda(name)) || '';
  }

  /** Empty text removes an attribute. */
  setAttributes(element, values) {
    const named = Object.entries(values).map(([name, value]) => [camunda(name), present(value)]);
    this._modeling.updateProperties(element, Object.fromEntries(named));
  }

  /** Names of the `camunda:property` entries, where the approval.* policies live. */
  properties(element) {
    return this._properties(element).map(({ name }) => name);
  }

  property(element, name) {
    return this._properties(element).find(property => property.name === name)?.value || '';
  }

  /** Empty text removes a property. */
  setProperties(element, values) {
    const kept = this._properties(element).filter(({ name }) => !(name in values));
    const made = Object.entries(values).filter(([, value]) => value !== '').map(([name, value]) => this._make('camunda:Property', { name, value }));
    const changed = [...kept, ...made];
    this._replaceExtension(element, 'camunda:Properties', changed.length ? { values: changed } : null);
  }

  /** Whether a call activity hands all variables over: `direction` In or Out. */
  passesAll(element, direction) {
    return this._extensions(element).some(value => isPassAll(value, direction));
  }

  setPassesAll(element, direction, on) {
    const kept = this._extensions(element).filter(value => !isPassAll(value, direction));
    this._setExtensions(element, on ? [...kept, this._make(camunda(direction), { variables: 'all' })] : kept);
  }

  /** `camunda:inputParameter` as [name, text] pairs; lists, maps and scripts come as an empty text. */
  inputs(element) {
    return this._inputs(element).map(({ name, value }) => [name, value || '']);
  }

  setInput(element, name, value) {
    const old = this._inputs(element);
    const made = this._make('camunda:InputParameter', { name, value });
    const known = old.some(input => input.name === name);
    const changed = value === '' ? old.filter(input => input.name !== name)
      : known ? old.map(input => (input.name === name ? made : input)) : [...old, made];
    const outputs = this._extension(element, 'camunda:InputOutput')?.get('outputParameters') || [];
    this._replaceExtension(element, 'camunda:InputOutput', changed.length + outputs.length ? { inputParameters: changed, outputParameters: outputs } : null);
  }

  /** The text of an expression such as a timer's duration or a flow's condition. */
  expression(owner, name) {
    return owner?.get(name)?.get('body') || '';
  }

  /** `others` are set in the same command, for properties that exclude each other. */
  setExpression(element, owner, name, text, others = {}) {
    const made = text === '' ? undefined : this._make('bpmn:FormalExpression', { body: text }, owner);
    this._modeling.updateModdleProperties(element, owner, { ...others, [name]: made });
  }

  setOn(element, owner, values) {
    this._modeling.updateModdleProperties(element, owner, values);
  }

  _properties(element) {
    return this._extension(element, 'camunda:Properties')?.get('values') || [];
  }

  _inputs(element) {
    return this._extension(element, 'camunda:InputOutput')?.get('inputParameters') || [];
  }

  _extensions(element) {
    return getBusinessObject(element).get('extensionElements')?.get('values') || [];
  }

  _extension(element, type) {
    return this._extensions(element).find(value => is(value, type));
  }

  _replaceExtension(element, type, content) {
    const old = this._extensions(element);
    const at = old.findIndex(value => is(value, type));
    const values = old.filter(value => !is(value, type));
    if (content) values.splice(at < 0 ? values.length : at, 0, this._make(type, content));
    this._setExtensions(element, values);
  }

  _setExtensions(element, values) {
    const extensionElements = values.length ? this._make('bpmn:ExtensionElements', { values }, getBusinessObject(element)) : undefined;
    this._modeling.updateProperties(element, { extensionElements });
  }

  _make(type, content, parent) {
    const made = this._factory.create(type, content);
    for (const child of Object.values(content).flat()) if (child?.$type) child.$parent = made;
    if (parent) made.$parent = parent;
    return made;
  }
}
Pen.$inject = ['modeling', 'bpmnFactory'];

export const penModule = { pen: ['type', Pen] };
