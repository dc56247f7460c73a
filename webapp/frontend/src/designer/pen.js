// Reads and writes what our panel edits. Every write is one command, so undo takes back exactly one change.
// Objects of the diagram are never changed in place: a command replaces them, and undo puts the old ones back.
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

const camunda = name => `camunda:${name}`;
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

  /** `camunda:property`, where the approval.* policies live. */
  property(element, name) {
    return this._properties(element).find(property => property.name === name)?.value || '';
  }

  setProperty(element, name, value) {
    const kept = this._properties(element).filter(property => property.name !== name);
    const changed = value === '' ? kept : [...kept, this._make('camunda:Property', { name, value })];
    this._replaceExtension(element, 'camunda:Properties', changed.length ? { values: changed } : null);
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

  _extension(element, type) {
    return (getBusinessObject(element).get('extensionElements')?.get('values') || []).find(value => is(value, type));
  }

  _replaceExtension(element, type, content) {
    const owner = getBusinessObject(element);
    const old = owner.get('extensionElements')?.get('values') || [];
    const at = old.findIndex(value => is(value, type));
    const values = old.filter(value => !is(value, type));
    if (content) values.splice(at < 0 ? values.length : at, 0, this._make(type, content));
    const extensionElements = values.length ? this._make('bpmn:ExtensionElements', { values }, owner) : undefined;
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
