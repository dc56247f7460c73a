// The papers of the vendored files: VENDOR.md (what, which version, which hash) and NOTICE (every licence).
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from './packages.mjs';

const byName = (a, b) => (a.name < b.name ? -1 : 1);
const packagesOf = files => [...new Set(files.flatMap(file => file.packages))].map(describe).sort(byName);

export function writeVendorPage(target, statics, files) {
  const rows = files.map(({ file, packages, note }) => {
    const hash = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    return `| ${path.relative(statics, file)} | ${packages.length > 4 ? `${packages.length} packages` : packages.join(', ')} | ${note} | \`${hash}\` |`;
  });
  const packages = packagesOf(files).map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  fs.writeFileSync(target, `# Third-party and bundled files

Written by \`make frontend\` from the packages locked in \`webapp/frontend/package-lock.json\`; do not edit.
\`node webapp/frontend/verify.mjs\` rebuilds and compares. Licence texts: \`NOTICE\`.

The bpmn.io watermark on every diagram is a condition of the licence of bpmn-js: it must stay visible and uncovered.

| File | From | Changed | SHA-256 |
| --- | --- | --- | --- |
${rows.join('\n')}

| Package | Version | Licence |
| --- | --- | --- |
${packages.join('\n')}
`);
}

export function writeNotice(target, files) {
  const groups = new Map();
  for (const { name, version, text } of packagesOf(files)) {
    const { holders, terms } = split(text);
    const key = terms.toLowerCase().replace(/\W+/g, ' ');
    if (!groups.has(key)) groups.set(key, { terms, members: [] });
    groups.get(key).members.push(`${name} (${version})${holders.map(holder => `\n    ${holder}`).join('')}`);
  }
  const sections = [...groups.values()].map(({ members, terms }) => `${members.join('\n')}\n\n${terms}`);
  const rule = `\n\n${'-'.repeat(78)}\n\n`;
  fs.writeFileSync(target, `Yunliu (云流)
Copyright 2026 The Yunliu Authors

Licensed under the Apache License, Version 2.0 (see LICENSE).

The files below webapp/static/vendor and webapp/static/dist contain the following software of others.
Every diagram shows the bpmn.io watermark, which the licence of bpmn-js requires to stay visible and uncovered.
This file is written by "make frontend"; webapp/static/VENDOR.md lists the files with their hashes.${rule}${sections.join(rule)}
`);
}

/** A licence text as its copyright lines and its terms, so that equal terms are printed once. */
function split(text) {
  const lines = text.split('\n').map(line => line.trimEnd());
  const isHolder = line => /^\s*(the mit license( \(mit\))?|mit license|(portions )?copyright (\(c\)|©|\d).*)$/i.test(line);
  const holders = lines.filter(line => isHolder(line) && /copyright/i.test(line)).map(line => line.trim());
  const terms = lines.filter(line => !isHolder(line)).join('\n').replace(/\n{3,}/g, '\n\n').trim();
  return { holders, terms };
}
