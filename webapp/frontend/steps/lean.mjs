// Keeps out of the designer what its properties panel brings along and we never show: the FEEL and JSON editors,
// and the panels of other dialects. Without this the bundle would be half as large again.
import fs from 'node:fs';

const EDITORS = /^(@codemirror\/.+|@bpmn-io\/(feel-editor|feelers-editor|extract-process-variables)(\/.*)?)$/;
const STAND_IN = 'module.exports = { Annotation: { define() {} }, jsonParseLinter() {} };'; // what runs on loading

export const withoutEditors = {
  name: 'without-editors',
  setup(build) {
    build.onResolve({ filter: EDITORS }, ({ path }) => ({ path, namespace: 'absent' }));
    build.onLoad({ filter: /./, namespace: 'absent' }, () => ({ contents: STAND_IN }));
  },
};

/** `X.$inject = […]` after a class looks like work to the bundler and keeps X; inside the class it does not. */
export const withoutOtherDialects = {
  name: 'without-other-dialects',
  setup(build) {
    build.onLoad({ filter: /bpmn-js-properties-panel[\\/]dist[\\/]index\.esm\.js$/ }, ({ path }) => {
      const source = fs.readFileSync(path, 'utf8');
      const injected = new Map([...source.matchAll(/^(\w+)\.\$inject = (\[[^\]]*\]);$/gm)].map(([, name, services]) => [name, services]));
      const classes = source.replace(/^class (\w+)( extends [\w$.]+)? \{$/gm, (head, name) => {
        const services = injected.get(name);
        return services ? `${head} static $inject = ${services};` : head;
      });
      return { contents: classes.replace(/^(\w+)\.\$inject = \[[^\]]*\];$/gm, (line, name) => (classes.includes(`class ${name} `) ? '' : line)) };
    });
  },
};
