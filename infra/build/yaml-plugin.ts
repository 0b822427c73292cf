import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** What yaml.ts imports. */
const USED = ['defineScalarTag', 'load', 'NOT_RESOLVED', 'Schema', 'YAML11_SCHEMA', 'YAMLException'];

/** All after it writes YAML, except the list of exports. */
const WRITER = '//#region src/ast/from_js.ts';

/**
 * Keeps out of bundles what js-yaml has and nobody calls here: its writer, and the schemas and tags of YAML
 * 1.2. A bundler cannot know that these do nothing if nobody uses them.
 */
export function yamlPlugin(): Plugin {
  return {
    name: 'yaml',
    setup: ({ onLoad }) => {
      onLoad({ filter: /js-yaml[\\/]dist[\\/]js-yaml\.mjs$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const [reader = '', writer] = source.split(WRITER);
        // yaml.ts always says which schema.
        const contents = reader
          .replace('schema: CORE_SCHEMA,', 'schema: YAML11_SCHEMA,')
          .replaceAll(/^(var \w+ =) (define\w+Tag|YAML11_SCHEMA\.withTags)\(/gm, '$1 /* @__PURE__ */ $2(')
          .replaceAll(/= (new Schema\(\[[^\]]*\]\));/g, '= /* @__PURE__ */ (() => $1)();');
        if (writer === undefined || contents.includes('schema: CORE_SCHEMA,') || contents === reader)
          throw new Error(`${path} has changed; see what it has now`);
        return { contents: `${contents}\nexport { ${USED.join(', ')} };\n`, loader: 'js' };
      });
    },
  };
}
