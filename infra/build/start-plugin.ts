import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { withoutImports } from './builtins.ts';

/** The process of a trial loads modules of these folders too, and must not load a whole server for them. */
const TRIAL_ENTRY = 'functions/trial/index.ts';
const OF_TRIALS = /^(?:shared\/onnx\/|functions\/trial\/)/;

/** What most protocols need, and what most tasks do: an answer needs both. */
const REQUEST = ['shared/protocols/predict/routes.ts', 'shared/inference/tasks/tabular-classification.ts'];
const OF_REQUESTS = /^shared\/(?:protocols|openapi|inference|processing|values|answers|http)\//;

/** What most protocols but the own one need, each with what it imports. */
const PROTOCOL = ['protocols/run-payload', 'protocols/encode-model', 'protocols/endpoint-models']
  .concat(['protocols/body/envelope', 'protocols/headers/target', 'protocols/headers/answer-type'])
  .concat(['http/accept', 'http/compress', 'http/origin', 'http/header-value', 'pages/respond-page'])
  .concat(['values/named-inputs', 'values/table-rows', 'tensor/bytes', 'protocols/paging']);
const OF_PROTOCOLS = /^shared\/(?:protocols\/(?!predict\/routes)|openapi\/)/;

/** What the metrics of most servers need. */
const METRICS = ['family', 'group', 'histogram', 'series', 'machine', 'python-client'];
const OF_METRICS = /^shared\/monitoring\/(?:metrics\/|otlp\/metric-exporter)/;

/**
 * Puts everything that an entry point imports into one file, what the process of a trial needs of it into another, and
 * what most requests need into a third. The bundler makes a file for each set of modules that the same entry points and
 * dynamic imports need, which would cut a start into fifty files that import each other. So each module that is imported
 * dynamically gets imports of what is loaded by then.
 *
 * @param project its folder
 * @param entry the entry point, which nothing imports: it is still being evaluated when it loads other modules
 */
export function startPlugin(project: string, entry: string): Plugin {
  const dynamic = listDynamicImports(project);
  const trial = join(project, TRIAL_ENTRY);
  const early = ['onnx/graph', 'onnx/guard-names', 'onnx/bounds', 'node-modules'];
  /** What each of these names stands for. */
  const shared: Readonly<Record<string, () => readonly string[]>> = {
    'ternion:trial': () => [
      ...importsOf(trial, STATIC),
      ...early.map((name) => join(project, `shared/${name}.ts`)),
    ],
    'ternion:start': () => [
      'ternion:trial',
      ...importsOf(entry, STATIC),
      // What describes a mistake on any host needs it, and so does each request.
      join(project, 'shared/json/json-value.ts'),
    ],
    'ternion:protocol': () => PROTOCOL.map((name) => join(project, `shared/${name}.ts`)),
    'ternion:metrics': () => METRICS.map((name) => join(project, `shared/monitoring/metrics/${name}.ts`)),
    'ternion:request': () => REQUEST.flatMap((example) => outsideImportsOf(join(project, example))),
  };
  const neededBy = (path: string) => {
    const name = relative(project, path).replaceAll('\\', '/');
    if (OF_TRIALS.test(name)) return ['ternion:trial'];
    if (OF_METRICS.test(name)) return ['ternion:start', 'ternion:metrics'];
    if (OF_PROTOCOLS.test(name)) return ['ternion:start', 'ternion:request', 'ternion:protocol'];
    return OF_REQUESTS.test(name) ? ['ternion:start', 'ternion:request'] : ['ternion:start'];
  };
  return {
    name: 'start',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^ternion:/ }, ({ path }) => ({ path, namespace: 'start' }));
      onLoad({ filter: /.*/, namespace: 'start' }, ({ path }) => ({
        contents: toImports(shared[path]?.() ?? []),
        resolveDir: project,
      }));
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path.includes('node_modules')) return undefined;
        const isLoaded = dynamic.has(path) || path === entry || path === trial;
        const added = isLoaded ? toImports(neededBy(path)) : '';
        return { contents: `${withoutImports(await readFile(path, 'utf8'))}\n${added}`, loader: 'ts' };
      });
    },
  };
}

function toImports(paths: readonly string[]): string {
  return paths.map((path) => `import ${JSON.stringify(path)};\n`).join('');
}

const STATIC = /^(?:import|export) (?!type )[^;]*?'(\.[^']+)';/gm;

/** What a module imports from other folders, itself and through those beside it. */
function outsideImportsOf(path: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  return importsOf(path, STATIC).flatMap((imported) =>
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
