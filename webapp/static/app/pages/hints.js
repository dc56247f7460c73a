// Hints beside the fields, so that nobody has to send a form to learn that a number is missing.
import { icon } from 'yl';
import { decimal } from './reckon.js';

/** {hint(control), clear(control), first()}: `first` marks every fault and returns the first faulty control. */
export function hints(form, said) {
  const place = control => document.getElementById(`errors-${control.name}`);

  function fault(control) {
    if (control.disabled) return '';
    const text = control.tagName === 'SELECT' ? [...control.selectedOptions].map(one => one.value).join('') : control.value.trim();
    if (!text) return control.hasAttribute('data-yl-required') && control.type !== 'checkbox' && !isUnused(control) ? said.required : '';
    if (!control.matches('[data-yl-money], [data-yl-amount]')) return '';
    const amount = decimal(text), { ylMin: least, ylMax: most } = control.dataset;
    if (Number.isNaN(amount)) return said.number;
    if (least !== undefined && amount < decimal(least)) return said.least.replace('{limit}', least);
    if (most !== undefined && amount > decimal(most)) return said.most.replace('{limit}', most);
    return '';
  }

  /** In a further line nobody has begun: such lines are not sent, so they lack nothing. */
  function isUnused(control) {
    const line = control.closest('[data-yl-line]');
    if (!line || line.parentElement.children.length === 1) return false;
    return [...line.querySelectorAll('[name]')].every(one => (one.type === 'checkbox' ? !one.checked : !one.value.trim()));
  }

  function hint(control) {
    const text = fault(control), errors = place(control);
    if (!errors) return text;
    errors.replaceChildren();
    if (text) {
      const line = document.createElement('p');
      line.append(icon('alert-circle'), text);
      errors.append(line);
    }
    control.closest('td, .yl-field')?.classList.toggle('yl-bad', !!text);
    control.toggleAttribute('aria-invalid', !!text);
    return text;
  }

  return {
    hint,
    clear(control) { place(control)?.replaceChildren(); control.removeAttribute('aria-invalid'); },
    first: () => [...form.querySelectorAll('[name]:not([type=hidden])')].filter(hint)[0],
  };
}

export function goTo(control) {
  (control.tomselect || control).focus();
  control.scrollIntoView({ block: 'center' });
}
