// The token simulation has its English built in, so its texts are exchanged where they appear.

const EXACT = new Set([
  'Token Simulation', 'Simulation Log', 'Toggle Simulation Log', 'No Entries', 'Reset Simulation', 'Play/Pause Simulation', 'Pause Simulation',
  'Play Simulation', 'Set Sequence Flow', 'Trigger Event', 'Add pause point', 'Remove pause point', 'Found unsupported elements', 'Not supported',
  'Finished', 'Process', 'SubProcess', 'Task', 'User Task', 'Service Task', 'Send Task', 'Receive Task', 'Script Task', 'Manual Task',
  'Business Rule Task', 'Call Activity', 'Exclusive Gateway', 'Parallel Gateway', 'Inclusive Gateway', 'Start Event', 'Intermediate Event',
  'Boundary Event', 'End Event', 'Slow', 'Normal', 'Fast',
]);
const PATTERNS = [
  [/^Focus process instance (.+)$/, 'Show only process instance {name}'],
  [/^Set animation speed = (.+)$/, 'Animation speed: {name}'],
  [/^(.+) started$/, '{name} started'],
  [/^(.+) finished$/, '{name} finished'],
  [/^(.+) canceled$/, '{name} canceled'],
];

export function translateSimulation(container, translate) {
  const word = text => (EXACT.has(text) ? translate(text) : text);

  function sentence(text) {
    for (const [pattern, template] of PATTERNS) {
      const found = pattern.exec(text);
      if (found) return translate(template, { name: word(found[1]) });
    }
    return word(text);
  }

  function exchange(node) {
    if (!node.parentElement?.closest('[class*="bts-"]') && !/bts-/.test(node.className)) return;
    const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { data } = texts.currentNode;
      const exchanged = data.replace(/\S(?:[\s\S]*\S)?/, sentence);
      if (exchanged !== data) texts.currentNode.data = exchanged;
    }
    for (const titled of [node, ...node.querySelectorAll('[title]')]) if (titled.title) titled.title = sentence(titled.title);
  }

  const watch = new MutationObserver(changes => changes.flatMap(({ addedNodes }) => [...addedNodes])
    .map(node => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node))
    .filter(node => node instanceof HTMLElement).forEach(exchange));
  watch.observe(container, { childList: true, subtree: true });
  for (const part of container.querySelectorAll('[class*="bts-"]')) exchange(part);
  return watch;
}
