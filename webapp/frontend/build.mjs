// Builds every third-party or bundled file the pages load, and the papers that go with them.
//
//   node build.mjs                 writes into the project (webapp/static/{vendor,dist}, VENDOR.md, NOTICE)
//   node build.mjs --out <folder>  writes the same tree below another folder; verify.mjs compares the two
//
// The result is committed, so that a user of the project needs no Node.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './steps/bundle.mjs';
import { writeIcons } from './steps/icons.mjs';
import { writeNotice, writeVendorPage } from './steps/papers.mjs';
import { copyVendor } from './steps/vendor.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const projectRoot = path.resolve(here, '../..');

/** Everything this build owns, relative to the project. Folders are emptied first. */
export const outputs = ['webapp/static/vendor', 'webapp/static/dist', 'webapp/static/VENDOR.md', 'NOTICE'];

export async function build(root) {
  process.chdir(here);
  for (const output of outputs) fs.rmSync(path.join(root, output), { recursive: true, force: true });
  const statics = path.join(root, 'webapp/static');
  for (const folder of ['vendor', 'dist']) fs.mkdirSync(path.join(statics, folder), { recursive: true });

  const files = [
    ...copyVendor(path.join(statics, 'vendor')),
    ...writeIcons(path.join(statics, 'dist')),
    ...await bundle(path.join(statics, 'dist')),
  ];
  writeVendorPage(path.join(statics, 'VENDOR.md'), statics, files);
  writeNotice(path.join(root, 'NOTICE'), files);
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--out');
  const files = await build(at > 0 ? path.resolve(process.argv[at + 1]) : projectRoot);
  for (const { file } of files) console.log(`${(fs.statSync(file).size / 1024).toFixed(0).padStart(6)} KB  ${path.basename(file)}`);
}
