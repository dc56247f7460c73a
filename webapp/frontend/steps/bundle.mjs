// Bundles our two BPMN pages with esbuild: the designer and the viewer, each one .js and one .css.
import path from 'node:path';
import * as esbuild from 'esbuild';
import { withoutEditors, withoutOtherDialects } from './lean.mjs';
import { packageOf } from './packages.mjs';

const ENTRIES = { 'bpmn-designer': 'src/designer/index.js', 'bpmn-viewer': 'src/viewer/index.js' };

/** The icon font that bpmn-js ships is somebody's own work under another licence, so it is named beside its carrier. */
const WORKS_INSIDE = file => (/bpmn-font/.test(file) ? ['bpmn-font'] : []);

export async function bundle(folder) {
  const { metafile } = await esbuild.build({
    entryPoints: ENTRIES,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    outdir: folder,
    assetNames: '[name]',
    jsx: 'automatic',
    jsxImportSource: '@bpmn-io/properties-panel/preact',
    // One format of the font is enough for every browser that understands the rest of the page.
    loader: { '.woff2': 'file', '.woff': 'empty', '.ttf': 'empty', '.eot': 'empty', '.svg': 'empty' },
    legalComments: 'none', // every licence stands in NOTICE
    plugins: [withoutEditors, withoutOtherDialects],
    metafile: true,
    logLevel: 'warning',
  });
  return Object.entries(metafile.outputs).map(([output, { inputs }]) => ({
    file: path.resolve(output),
    packages: [...new Set(Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).flatMap(([input]) => [packageOf(input), ...WORKS_INSIDE(input)].filter(Boolean)))].sort(),
    note: 'bundled',
  })).sort((a, b) => (a.file < b.file ? -1 : 1));
}
