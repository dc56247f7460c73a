// Copies the files that are used as their authors built them.
import fs from 'node:fs';
import path from 'node:path';

const withoutSourceMap = text => text.replace(/\n?\/[/*]# sourceMappingURL=\S+(\s*\*\/)?\s*$/, '\n');
// Tom Select's Bootstrap theme reads --bs-*; Tabler calls the same variables --tblr-*. Without this the dark theme is lost.
const tablerVariables = text => text.replaceAll('var(--bs-', 'var(--tblr-');

const FILES = [
  { from: '@tabler/core', path: 'dist/css/tabler.min.css', parts: ['bootstrap'] },
  { from: '@tabler/core', path: 'dist/js/tabler.min.js', parts: ['bootstrap', '@popperjs/core'] },
  { from: 'htmx.org', path: 'dist/htmx.min.js' },
  { from: 'tom-select', path: 'dist/js/tom-select.complete.min.js' },
  { from: 'tom-select', path: 'dist/css/tom-select.bootstrap5.min.css', change: tablerVariables, note: '--bs-* renamed --tblr-*' },
];

export function copyVendor(folder) {
  return FILES.map(({ from, path: source, parts = [], change = text => text, note = '' }) => {
    const file = path.join(folder, path.basename(source));
    const text = fs.readFileSync(path.join('node_modules', from, source), 'utf8');
    fs.writeFileSync(file, change(withoutSourceMap(text)));
    return { file, packages: [from, ...parts], note: ['source map line removed', note].filter(Boolean).join(', ') };
  });
}
