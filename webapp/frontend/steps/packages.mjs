// What an installed npm package says about itself.
import fs from 'node:fs';
import path from 'node:path';

/** Licence texts for packages that ship none, and for what is built into somebody else's file. */
const SUPPLIED = {
  '@tabler/core': 'licences/tabler.txt',
  'bootstrap': 'licences/bootstrap.txt',
  'bpmn-auto-layout': 'licences/bpmn-auto-layout.txt',
  'bpmn-font': 'licences/bpmn-font.txt',
};

/** Parts that arrive inside another package's built file, so no package.json of their own is at hand. */
const EMBEDDED = {
  'bootstrap': { version: '5.3, as built into @tabler/core', licence: 'MIT' },
  'bpmn-font': { version: 'as shipped with bpmn-js', licence: 'OFL-1.1' },
};

export function describe(name) {
  if (EMBEDDED[name]) return { name, ...EMBEDDED[name], text: read(SUPPLIED[name]) };
  const folder = path.join('node_modules', name);
  const manifest = JSON.parse(read(path.join(folder, 'package.json')));
  const shipped = fs.readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
  const source = shipped ? path.join(folder, shipped) : SUPPLIED[name];
  if (!source) throw new Error(`${name} ships no licence text: add one to licences/ and name it in steps/packages.mjs`);
  const licence = /^SEE LICENSE/.test(manifest.license) ? 'bpmn.io (MIT + visible watermark)' : manifest.license;
  return { name, version: manifest.version, licence, text: read(source) };
}

/** "node_modules/@a/b/lib/c.js" -> "@a/b"; undefined for our own sources. */
export function packageOf(file) {
  return file.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];
}

function read(file) {
  return fs.readFileSync(file, 'utf8').replace(/\r\n/g, '\n').trim();
}
