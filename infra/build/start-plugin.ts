import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** Modules that are imported dynamically, with what they are likely to find loaded or to need. */
interface Group {
  /** Paths below the project. */
  readonly members: RegExp;
  /** A module whose imports stand for those of all members. */
  readonly example: string;
  /** Whether the process of a trial loads members too; the example is all that they then find loaded. */
  readonly areInTrials?: boolean;
}

const GROUPS: readonly Group[] = [
  {
    members: /^shared\/protocols\/(?:catalog|[\w-]+\/routes)\.ts$/,
    example: 'shared/protocols/predict/routes.ts',
  },
  {
    members: /^shared\/inference\/tasks\/[\w-]+\.ts$/,
    example: 'shared/inference/tasks/tabular-classification.ts',
  },
  { members: /^shared\/onnx\//, example: 'shared/onnx/graph.ts', areInTrials: true },
];

/**
 * Puts everything that an entry point imports into one file, and what most protocols or tasks share into another one.
 * The bundler makes a file for each set of modules that the same entry points and dynamic imports need, which would cut
 * a start into fifty files that import each other. So each module that is imported dynamically gets imports of what is
 * loaded anyway.
 *
 * @param project its folder
 * @param entry the entry point, which nothing imports: it is still being evaluated when it loads other modules
 */
export function startPlugin(project: string, entry: string): Plugin {
  const dynamic = listDynamicImports(project);
  const pathOf = (path: string) => relative(project, path).replaceAll('\\', '/');
  const groupsOf = (path: string) => GROUPS.filter(({ members }) => members.test(pathOf(path)));
  return {
    name: 'start',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^ternion:/ }, ({ path }) => ({ path, namespace: 'start' }));
      onLoad({ filter: /.*/, namespace: 'start' }, ({ path }) => {
        const example = path === START ? entry : join(project, path.slice(PREFIX.length));
        return { contents: toImports(outsideImportsOf(example)), resolveDir: project };
      });
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!dynamic.has(path)) return undefined;
        const groups = groupsOf(path);
        const own = groups
          .filter(({ areInTrials }) => areInTrials)
          .map(({ example }) => join(project, example));
        const added = own.length > 0 ? own : [START, ...groups.map(({ example }) => PREFIX + example)];
        return { contents: `${await readFile(path, 'utf8')}\n${toImports(added)}`, loader: 'ts' };
      });
    },
  };
}

const PREFIX = 'ternion:';
const START = 'ternion:start';

function toImports(paths: readonly string[]): string {
  return paths.map((path) => `import ${JSON.stringify(path)};\n`).join('');
}

/** What a module imports from other folders, itself and through those beside it. */
function outsideImportsOf(path: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  return importsOf(path, /^(?:import|export) (?!type )[^;]*?'(\.[^']+)';/gm).flatMap((imported) =>
    dirname(imported) === dirname(path) ? outsideImportsOf(imported, seen) : [imported],
  );
}

/** All modules that some module imports dynamically. */
function listDynamicImports(project: string): ReadonlySet<string> {
  const paths = globSync('{shared,functions}/**/*.ts', { cwd: project });
  return new Set(paths.flatMap((path) => importsOf(join(project, path), /\bimport\(\s*'(\.[^']+)'\s*\)/g)));
}

function importsOf(path: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, name = '']) =>
    resolve(dirname(path), name),
  );
}
