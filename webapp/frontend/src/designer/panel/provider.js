// Puts our groups between the general ones of the panel, and takes out those of its groups that ours replace.
import { Group } from '@bpmn-io/properties-panel';
import { conditionGroup, errorGroup, repetitionGroup, timerGroup } from './flow.js';
import { approvalGroup, candidatesGroup, dueGroup, formGroup } from './people.js';
import { calledGroup, decisionGroup, parametersGroup, scriptGroup, serviceGroup } from './services.js';

const OURS = [
  formGroup, candidatesGroup, approvalGroup, dueGroup, serviceGroup, parametersGroup, scriptGroup, decisionGroup, calledGroup,
  conditionGroup, timerGroup, errorGroup, repetitionGroup,
];
const REPLACED = new Set(['timer', 'error', 'multiInstance']);
const AFTER_THE_GENERIC = 500;

class HouseProvider {
  constructor(propertiesPanel, translate, house, pen, modeling, diagram) {
    const context = { t: translate, house, pen, modeling, diagram, kinds: new WeakMap() };
    this.getGroups = element => generic => {
      const own = OURS.map(group => group(element, context)).filter(Boolean).map(group => ({ component: Group, shouldOpen: true, translate, ...group }));
      const [general, ...rest] = generic.filter(({ id }) => !REPLACED.has(id));
      return [{ ...general, shouldOpen: true }, ...own, ...rest];
    };
    propertiesPanel.registerProvider(AFTER_THE_GENERIC, this);
  }
}
HouseProvider.$inject = ['propertiesPanel', 'translate', 'config.house', 'pen', 'modeling', 'diagram'];

export const providerModule = { __init__: ['houseProvider'], houseProvider: ['type', HouseProvider] };
