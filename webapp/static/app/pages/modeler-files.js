// The text of a form: its rights can be chosen in the table below it, which is written into the text.
const form = document.getElementById('dz-file');
const text = form.elements.text;
const WIDTH = 110; // signs of a line that still reads well

document.addEventListener('change', event => {
  const choice = event.target.closest('[data-yl-step]');
  if (choice) write(choice);
});

// What was chosen before this script came (a slow line) is a choice too.
for (const choice of document.querySelectorAll('[data-yl-step]')) {
  const drawn = choice.querySelector('option[selected]') ?? choice.options[0];
  if (choice.value !== drawn.value) write(choice);
}

function write(choice) {
  const schema = JSON.parse(text.value); // the table is only there when the text can be read
  const { ylStep: step, ylField: field } = choice.dataset;
  const rights = { ...schema.steps?.[step] };
  if (choice.value) rights[field] = choice.value; else delete rights[field];
  schema.steps = { ...schema.steps, [step]: rights };
  if (!Object.keys(rights).length) delete schema.steps[step];
  text.value = `${written(schema)}\n`;
  text.dispatchEvent(new Event('input', { bubbles: true }));
}

/** JSON as people write it: what fits stands on one line. */
function written(value, depth = 0) {
  const flat = flatly(value);
  if (typeof value !== 'object' || value === null || (depth && flat.length + depth * 2 <= WIDTH)) return flat;
  const inner = '  '.repeat(depth + 1);
  const [begin, end, parts] = Array.isArray(value)
    ? ['[', ']', value.map(one => written(one, depth + 1))]
    : ['{', '}', Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${written(one, depth + 1)}`)];
  return parts.length ? `${begin}\n${parts.map(part => inner + part).join(',\n')}\n${'  '.repeat(depth)}${end}` : begin + end;
}

function flatly(value) {
  if (Array.isArray(value)) return `[${value.map(flatly).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${flatly(one)}`).join(', ')}}`;
  return JSON.stringify(value);
}

text.addEventListener('keydown', event => {
  if (event.key === 's' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});
