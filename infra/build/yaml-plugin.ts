import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** What yaml.ts imports. */
const USED = ['binaryTag', 'defineScalarTag', 'floatYaml11Tag', 'intYaml11Tag', 'load', 'mapTag', 'mergeTag']
  .concat(['NOT_RESOLVED', 'nullYaml11Tag', 'omapTag', 'pairsTag', 'Schema', 'seqTag', 'setTag', 'strTag'])
  .concat(['YAMLException']);

/** All after it writes YAML, except the list of exports. */
const WRITER = '//#region src/ast/from_js.ts';

/** The schema that is used unless the options name one. yaml.ts always does. */
const DEFAULT = 'schema: CORE_SCHEMA,';

/** An iteration, of which a bundler does not know that it only makes values. */
const DIGITS = '..."0123456789"';

/** Members of tags that only the writer reads: which values a tag is for, and how it writes them. */
const WRITTEN = /^\t(?:identify|represent): (?:.*[^{\n]|.*\{\n(?:\t\t.*\n)*\t\},?)\n/gm;

/**
 * Keeps out of bundles what js-yaml has and nobody calls here: its writer, its schemas, and the tags of YAML 1.2. A
 * bundler cannot know that these do nothing if nobody uses them.
 */
export function yamlPlugin(): Plugin {
  return {
    name: 'yaml',
    setup: ({ onLoad }) => {
      onLoad({ filter: /js-yaml[\\/]dist[\\/]js-yaml\.mjs$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const [reader = '', writer] = source.split(WRITER);
        const contents = reader
          .replace(DEFAULT, 'schema: undefined,')
          .replaceAll(WRITTEN, '')
          .replaceAll(DIGITS, "'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'")
          .replaceAll(/^(var \w+ =) (define\w+Tag)\(/gm, '$1 /* @__PURE__ */ $2(')
          .replaceAll(
            /^(var \w+_SCHEMA =) ([^;]*?\(\[[^;]*?\]\)|[\s\S]*?^\}\));$/gm,
            '$1 /* @__PURE__ */ (() => $2)();',
          );
        if (
          writer === undefined ||
          reader.search(WRITTEN) < 0 ||
          [DEFAULT, DIGITS].some((text) => !reader.includes(text))
        )
          throw new Error(`${path} has changed; see what it has now`);
        return { contents: `${contents}\nexport { ${USED.join(', ')} };\n`, loader: 'js' };
      });
    },
  };
}
