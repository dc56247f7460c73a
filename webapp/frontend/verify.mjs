// Exits 1 when the committed files differ from what the locked packages build to.
//   npm ci --ignore-scripts && node verify.mjs
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, outputs, projectRoot } from './build.mjs';

function hashes(root) {
  const found = new Map();
  const walk = relative => {
    const full = path.join(root, relative);
    if (!fs.existsSync(full)) return;
    if (fs.statSync(full).isDirectory()) fs.readdirSync(full).forEach(name => walk(path.join(relative, name)));
    else found.set(relative, crypto.createHash('sha256').update(fs.readFileSync(full)).digest('hex'));
  };
  outputs.forEach(walk);
  return found;
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'yunliu-frontend-'));
try {
  await build(scratch);
  const [committed, rebuilt] = [hashes(projectRoot), hashes(scratch)];
  const differing = [...new Set([...committed.keys(), ...rebuilt.keys()])].filter(f => committed.get(f) !== rebuilt.get(f)).sort();
  for (const file of differing) {
    const why = !rebuilt.has(file) ? 'is not built any more' : !committed.has(file) ? 'is missing' : 'differs';
    console.error(`${file} ${why}. Run "make frontend" and commit the result.`);
  }
  if (differing.length) process.exitCode = 1;
  else console.log(`${committed.size} built files match their sources.`);
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
