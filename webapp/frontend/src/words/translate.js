// One dictionary for the diagram library, its properties panel and our own words. The English sentence is the key.

const key = text => text.toLowerCase().replace(/[\s-]+/g, ' ').trim();
const fill = (template, values) => template.replace(/{([^}]+)}/g, (place, name) => values[name] ?? place);

const EVENT = /^(append |create )?(parallel multiple|multiple|parallel|message|timer|conditional|signal|error|escalation|compensat(?:ion|e)|link|cancel|terminate)? ?(start|boundary|end|intermediate catch|intermediate throw|intermediate\/boundary) event( \(non interrupting\))?$/;
const WHAT = {
  message: '消息', timer: '定时', conditional: '条件', signal: '信号', error: '错误', escalation: '升级', compensation: '补偿', compensate: '补偿',
  link: '链接', cancel: '取消', terminate: '终止', multiple: '多重', parallel: '并行', 'parallel multiple': '并行多重',
};
const WHERE = {
  start: '开始事件', boundary: '边界事件', end: '结束事件', 'intermediate catch': '中间捕获事件', 'intermediate throw': '中间抛出事件',
  'intermediate/boundary': '中间/边界事件',
};

/** "Append timer boundary event (non-interrupting)": BPMN combines these words freely, so do we. */
function chineseEvent(text) {
  const found = EVENT.exec(text);
  if (!found) return undefined;
  const [, verb, what, where, gentle] = found;
  return `${verb ? (verb.startsWith('append') ? '追加' : '新建') : ''}${what ? WHAT[what] : ''}${WHERE[where]}${gentle ? '（不中断）' : ''}`;
}

/** `translate(template, values)` by a {English: Chinese} dictionary, and the set of texts it had no word for. */
export function translator(lang, dictionary) {
  const spellings = new Map(Object.entries(dictionary).map(([english, chinese]) => [key(english), chinese]));
  const missing = new Set();
  function translate(template, values = {}) {
    if (!lang.startsWith('zh')) return fill(template, values);
    const spelled = key(template);
    const chinese = spellings.get(spelled) ?? chineseEvent(spelled);
    if (chinese === undefined && /^[\x20-\x7e]*[a-z]{2}[\x20-\x7e]*$/i.test(template)) missing.add(template);
    return fill(chinese ?? template, values);
  }
  return { translate, missing };
}

export function translateModule(translate) {
  return { translate: ['value', translate] };
}
