// The file around the diagram: what stands beside the process in bpmn:Definitions.
import { is } from 'bpmn-js/lib/util/ModelUtil';

/** The code the engine goes by. */
export const codeOf = error => error.errorCode || error.name || error.id;

export class Diagram {
  constructor(bpmnjs, bpmnFactory, commandStack) {
    this._bpmnjs = bpmnjs;
    this._factory = bpmnFactory;
    this._commandStack = commandStack;
  }

  errors() {
    return this._definitions().get('rootElements').filter(root => is(root, 'bpmn:Error'));
  }

  /** Let an error event stand for this code; the error is declared in the file when it is not yet. An empty code declares a new one. */
  setError(element, eventDefinition, code) {
    const known = code && this.errors().find(error => codeOf(error) === code);
    const error = known || this._factory.create('bpmn:Error', code ? { errorCode: code, name: code } : {});
    const definitions = this._definitions();
    const change = (moddleElement, properties) => ({ cmd: 'element.updateModdleProperties', context: { element, moddleElement, properties } });
    const refer = change(eventDefinition, { errorRef: error });
    if (known) return this._run([refer]);
    error.$parent = definitions;
    return this._run([change(definitions, { rootElements: [...definitions.get('rootElements'), error] }), refer]);
  }

  _run(commands) {
    this._commandStack.execute('properties-panel.multi-command-executor', commands);
  }

  _definitions() {
    return this._bpmnjs.getDefinitions();
  }
}
Diagram.$inject = ['bpmnjs', 'bpmnFactory', 'commandStack'];

export const diagramModule = { diagram: ['type', Diagram] };
