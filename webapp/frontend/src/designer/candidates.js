// The text of camunda:assignee / candidateUsers / candidateGroups as rules: "superior(2), position(finance)".

const ATTRIBUTES = ['assignee', 'candidateUsers', 'candidateGroups'];
const RULE = /^([a-z_][a-z0-9_]*)\s*(?:\(\s*([^()]*?)\s*\))?$/;

/** [{name, argument}] for rules, [{raw}] for anything else, so that nothing in a file is lost. */
export function parseRules(text) {
  const bare = text.trim().replace(/^[$#]\{([\s\S]*)\}$/, '$1');
  return bare.split(/,(?![^(]*\))/).map(part => part.trim()).filter(Boolean).map(part => {
    const found = RULE.exec(part.replace(/^[$#]\{([\s\S]*)\}$/, '$1').trim());
    return found ? { name: found[1], argument: found[2] || '' } : { raw: part };
  });
}

export function formatRules(rules) {
  return rules.map(({ raw, name, argument }) => raw ?? (argument ? `${name}(${argument})` : name)).join(', ');
}

export function readRules(pen, element) {
  return ATTRIBUTES.flatMap(name => parseRules(pen.attribute(element, name)));
}

/** All rules go to candidateGroups, except that a lone assignee stays one: the engine reads them alike, people compare files. */
export function writeRules(pen, element, rules) {
  const assigneeOnly = pen.attribute(element, 'assignee') && !pen.attribute(element, 'candidateUsers') && !pen.attribute(element, 'candidateGroups');
  const home = assigneeOnly && rules.length === 1 ? 'assignee' : 'candidateGroups';
  pen.setAttributes(element, { assignee: '', candidateUsers: '', candidateGroups: '', [home]: formatRules(rules) });
}
