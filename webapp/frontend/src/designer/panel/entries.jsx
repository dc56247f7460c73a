// The kinds of entry our groups are made of. An entry carries its own get/set, so a group is a plain list.
// The components are fixed functions: a new one per rendering would take the focus away while somebody types.
import {
  CheckboxEntry, SelectEntry, TextAreaEntry, TextFieldEntry,
  isCheckboxEntryEdited, isSelectEntryEdited, isTextAreaEntryEdited, isTextFieldEntryEdited,
} from '@bpmn-io/properties-panel';
import { useService } from 'bpmn-js-properties-panel';

function Text({ element, id, label, hint, get, set }) {
  return <TextFieldEntry id={ id } element={ element } label={ label } description={ hint } debounce={ useService('debounceInput') }
    getValue={ get } setValue={ value => set(value ?? '') } />;
}

function Area({ element, id, label, hint, get, set }) {
  return <TextAreaEntry id={ id } element={ element } label={ label } description={ hint } debounce={ useService('debounceInput') }
    rows={ 2 } autoResize getValue={ get } setValue={ value => set(value ?? '') } />;
}

function Select({ element, id, label, hint, options, get, set }) {
  return <SelectEntry id={ id } element={ element } label={ label } description={ hint } getOptions={ () => options } getValue={ get } setValue={ set } />;
}

function Check({ element, id, label, hint, get, set }) {
  return <CheckboxEntry id={ id } element={ element } label={ label } description={ hint } getValue={ get } setValue={ set } />;
}

function Note({ id, label }) {
  return <div class="bio-properties-panel-entry ylb-note" data-entry-id={ id }>{ label }</div>;
}

function Heading({ id, label, hint }) {
  return <div class="bio-properties-panel-entry ylb-heading" data-entry-id={ id }><b>{ label }</b>{ hint && <small>{ hint }</small> }</div>;
}

function Link({ id, label, href }) {
  return <div class="bio-properties-panel-entry ylb-note" data-entry-id={ id }><a href={ href } target="_blank" rel="noopener">{ label }</a></div>;
}

export const text = entry => ({ component: Text, isEdited: isTextFieldEntryEdited, ...entry });
export const area = entry => ({ component: Area, isEdited: isTextAreaEntryEdited, ...entry });
export const check = entry => ({ component: Check, isEdited: isCheckboxEntryEdited, ...entry });
export const note = (id, label) => ({ id, label, component: Note });
export const heading = (id, label, hint) => ({ id, label, hint, component: Heading });
export const link = (id, label, href) => ({ id, label, href, component: Link });

/** `options` [{value, label}]; a value the diagram holds and the list does not stays selectable under `unknown(value)`. */
export function select({ options, unknown, ...entry }) {
  const now = entry.get();
  const listed = options.flatMap(option => option.children || option).some(option => option.value === now);
  const extra = listed || now === '' ? [] : [{ value: now, label: unknown(now) }];
  return { component: Select, isEdited: isSelectEntryEdited, ...entry, options: [...options, ...extra] };
}
