import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { LEVELS } from './support/levels.ts';

const PROJECT = join(import.meta.dirname, '..');

/** Folders next to those of the protocols that the protocols build on, or that build on them. */
const BELOW = ['body', 'headers', 'shared-routes', 'v1'];

/** Folders next to those of the protocols that are not protocols, but shared layers with other files. */
const LAYERS = ['body', 'headers', 'shared-routes'];

/** What the folder of a protocol is made of. */
const FILES_OF_PROTOCOLS = ['routes.ts', 'decode.ts', 'encode.ts', 'schemas.ts'];

/** Other files of the protocols, each for one purpose. */
const OTHER_FILES_OF_PROTOCOLS = [
  // An envelope around requests of any format.
  'kserve/cloud-events.ts',
  // Values without HTTP, then what connects them with HTTP, and an extension with operations of its own.
  'open-inference/codecs.ts',
  'open-inference/data-plane.ts',
  'open-inference/framing.ts',
  'open-inference/repository.ts',
  'open-inference/tensor-data.ts',
  // What each kind of model reads and answers, side by side.
  'azure-ml/services.ts',
  'hugging-face/tasks.ts',
  // Lines, for two kinds of containers, and the second of these.
  'sagemaker/read-libsvm.ts',
  'sagemaker/read-lines.ts',
  'sagemaker/run-lines.ts',
  'sagemaker/tensorflow-container.ts',
  // The framing of a stream.
  'sagemaker/event-stream.ts',
  // What clients ask for besides predictions: endpoints as resources, and tokens.
  'mlflow/endpoints.ts',
  // The registry, with the form of its calls.
  'mlflow/registry.ts',
  'mlflow/registry-fields.ts',
  'mlflow/releases.ts',
  'mlflow/sign-in.ts',
  'ubiops/resources.ts',
  'vertex-ai/resources.ts',
  // Another request and answer on the same routes.
  'mlflow/vectors.ts',
  // The other interface of the server, and a parser.
  'torchserve/management.ts',
  'torchserve/url-encoded.ts',
];

/** The files of `shared/stores` that are not stores themselves. */
const STORE_INTERFACE = ['shared/stores/model-store.ts', 'shared/stores/open-store.ts'];

interface Import {
  readonly from: string;
  /** A path of the project, or the name of a package. */
  readonly to: string;
}

const found = globSync(['shared/**/*.ts', 'functions/**/*.ts'], { cwd: PROJECT })
  .map((path) => path.replaceAll('\\', '/'))
  .sort();
const sources = found.filter((path) => !isForBrowsers(path));
const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const bundled = await listBundledImports([
  'shared/app.ts',
  'functions/define.ts',
  ...globSync('functions/*/index.ts', { cwd: PROJECT }),
]);
const ENTRIES = ['', 'curves/', 'releases/'].map((folder) => `shared/playground/${folder}main.ts`);
const inBrowser = await listBundledImports(ENTRIES);
/** Includes imports of types, which no bundle shows. */
const all: readonly Import[] = [...bundled, ...sources.flatMap(listTypeImports)];

/** What the bundler sees: each import that is left at run time, dynamic ones too. */
async function listBundledImports(entryPoints: string[]): Promise<Import[]> {
  const { metafile } = await build({
    absWorkingDir: PROJECT,
    entryPoints,
    outdir: 'unused',
    write: false,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  return Object.entries(metafile.inputs).flatMap(([from, { imports }]) =>
    imports.map(({ path }) => ({ from, to: path })),
  );
}

function listTypeImports(from: string): Import[] {
  return [...read(from).matchAll(/^(?:import|export) type [^;]*? from '([^']+)';/gms)].map(
    ([, name = '']) => ({
      from,
      to: name.startsWith('.') ? posix.join(posix.dirname(from), name) : name,
    }),
  );
}

function isForBrowsers(path: string): boolean {
  return /^shared\/(?:docs-page|playground)\//.test(path);
}

function isLocal({ to }: Import): boolean {
  return to.startsWith('shared/') || to.startsWith('functions/');
}

/** `shared/tensor/datatype.ts` belongs to `shared/tensor`, `shared/app.ts` to `shared/app`. */
function partOf(path: string): string {
  if (path.startsWith('functions/')) return 'functions';
  return path.split('/').slice(0, 2).join('/').replace(/\.ts$/, '');
}

function levelOf(path: string): number {
  return LEVELS.findIndex((parts) => parts.includes(partOf(path)));
}

function show(imports: readonly Import[]): string[] {
  return imports.map(({ from, to }) => `${from} -> ${to}`);
}

/** A cycle along the imports, or nothing. */
function findCircle(imports: readonly Import[]): string[] | undefined {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const visit = (at: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(at)) return [...way.slice(way.indexOf(at)), at];
    if (done.has(at)) return undefined;
    for (const { to } of targets.get(at) ?? []) {
      const circle = visit(to, [...way, at]);
      if (circle) return circle;
    }
    done.add(at);
    return undefined;
  };
  for (const start of targets.keys()) {
    const circle = visit(start, []);
    if (circle) return circle;
  }
  return undefined;
}

/** `shared/tensor/npy.ts` is in `shared/tensor` and in `shared`. */
function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Imports from one child of a folder to another, each of which is a file or a folder with all that is in it. */
function amongChildren(folder: string, imports: readonly Import[]): readonly Import[] {
  const childOf = (path: string) =>
    path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/')[0] : undefined;
  return imports.flatMap(({ from, to }) => {
    const [own, other] = [childOf(from), childOf(to)];
    return own !== undefined && other !== undefined && own !== other ? [{ from: own, to: other }] : [];
  });
}

function importersOf(matches: (name: string) => boolean): string[] {
  return [...new Set(all.filter(({ to }) => matches(to)).map(({ from }) => from))].sort();
}

describe('the parts of the project', () => {
  it('are all known', () => {
    expect(sources.filter((path) => levelOf(path) === -1)).toEqual([]);
    const parts = new Set(sources.map(partOf));
    expect(LEVELS.flat().filter((part) => !parts.has(part))).toEqual([]);
  });

  it('import lower parts, never higher ones, not even for a type', () => {
    const wrong = all.filter(isLocal).filter(({ from, to }) => levelOf(to) > levelOf(from));
    expect(show(wrong)).toEqual([]);
  });

  it('have no import cycle', () => {
    const between = all
      .filter(isLocal)
      .map(({ from, to }) => ({ from: partOf(from), to: partOf(to) }))
      .filter(({ from, to }) => from !== to);
    expect(findCircle(between)).toBeUndefined();
  });

  it('consist of files without an import cycle at run time', () => {
    expect(findCircle(all.filter(isLocal))).toBeUndefined();
  });

  it('are protocols that know nothing of each other: removing one changes only its lines in protocols.ts', () => {
    const protocolOf = (path: string) => /^shared\/protocols\/([\w-]+)\//.exec(path)?.[1];
    const names = new Set(
      sources.flatMap((path) => protocolOf(path) ?? []).filter((name) => !BELOW.includes(name)),
    );
    expect([...names].sort()).toHaveLength(11);
    const wrong = all.filter(({ from, to }) => {
      const [own, other] = [protocolOf(from), protocolOf(to)];
      const isOfProtocol = other !== undefined && names.has(other);
      return isOfProtocol && other !== own && from !== 'shared/protocols/protocols.ts';
    });
    expect(show(wrong)).toEqual([]);
  });

  it('are protocols of four files with the same names, except those that are listed', () => {
    const paths = sources.flatMap(
      (path) => /^shared\/protocols\/([\w-]+\/[\w-]+\.ts)$/.exec(path)?.[1] ?? [],
    );
    const folders = Map.groupBy(paths, (path) => posix.dirname(path));
    for (const layer of LAYERS) folders.delete(layer);
    expect([...folders.keys()].filter((folder) => !paths.includes(`${folder}/routes.ts`))).toEqual([]);
    const others = [...folders.values()]
      .flat()
      .filter((path) => !FILES_OF_PROTOCOLS.includes(posix.basename(path)));
    expect(others.sort()).toEqual(OTHER_FILES_OF_PROTOCOLS.toSorted());
  });

  it('have a data plane of the Open Inference Protocol that knows nothing of HTTP', () => {
    const imports = all.filter(({ from }) => from === 'shared/protocols/open-inference/data-plane.ts');
    expect(imports.length).toBeGreaterThan(5);
    expect(show(imports.filter(({ to }) => /^(?:hono|shared\/(?:http|protocols|app)\b)/.test(to)))).toEqual(
      [],
    );
  });

  it('have no import cycle within any folder, where a folder below it counts as one', () => {
    const imports = all.filter(isLocal).filter(({ from }) => !isForBrowsers(from));
    const folders = new Set(sources.flatMap((path) => foldersAbove(path)));
    const circles = [...folders].flatMap((folder) => findCircle(amongChildren(folder, imports)) ?? []);
    expect(circles).toEqual([]);
  });

  it('are hosts that know nothing of each other', () => {
    const hostOf = (path: string) => /^functions\/(\w+)\//.exec(path)?.[1];
    const wrong = all.filter(({ from, to }) => {
      const [host, other] = [hostOf(from), hostOf(to)];
      return host !== undefined && other !== undefined && host !== other;
    });
    expect(show(wrong)).toEqual([]);
  });

  it('have no file in shared/ that nobody imports', () => {
    const used = new Set(all.map(({ to }) => to));
    expect(sources.filter((path) => path.startsWith('shared/') && !used.has(path))).toEqual([]);
  });

  it('import files that are there', () => {
    const missing = all.filter(isLocal).filter(({ to }) => !existsSync(join(PROJECT, to)));
    expect(show(missing)).toEqual([]);
  });

  it('name only files in comments that are there', () => {
    const commented = globSync('{shared,functions,infra,test}/**/*.{ts,py}', { cwd: PROJECT });
    // Comments name files of other projects as sources; those can be in folders like docs/ and models/.
    const named = /(?<![\w./-])(?:shared|functions|infra|test)\/[\w./-]+\.(?:ts|py|mjs|json)\b/g;
    const places = commented.flatMap((path) =>
      [...read(path).matchAll(/^\s*(?:\/\/|\/\*\*|\*|#|""").*$/gm)].flatMap(([line]) =>
        [...line.matchAll(named)].map(([to]) => ({ from: path, to })),
      ),
    );
    expect(places.length).toBeGreaterThan(10);
    expect(show(places.filter(({ to }) => !existsSync(join(PROJECT, to))))).toEqual([]);
  });

  it('are independent of the page at /docs, as it is of them', () => {
    const scripts = found.filter((path) => path.startsWith('shared/docs-page/'));
    expect(scripts).toEqual(['shared/docs-page/main.ts']);
    expect(scripts.filter((path) => /^import /m.test(read(path)))).toEqual([]);
    expect(show(all.filter(({ to }) => isForBrowsers(to)))).toEqual([]);
  });

  it('import neither tests nor infrastructure', () => {
    const outside = all.filter(({ to }) => /^(\.\.|infra|test|models|docs)\//.test(to));
    expect(show(outside)).toEqual([]);
  });
});

describe('the playground', () => {
  const scripts = found.filter((path) => path.startsWith('shared/playground/'));
  const imports = [...inBrowser, ...scripts.flatMap(listTypeImports)];

  it('imports nothing but itself and what reads metrics, and no other part imports it', () => {
    expect(imports.length).toBeGreaterThan(20);
    const isAllowed = (path: string) => isForBrowsers(path) || path.startsWith('shared/scrapes/');
    expect(show([...imports, ...all].filter(({ from, to }) => isAllowed(from) && !isAllowed(to)))).toEqual(
      [],
    );
    expect(show(all.filter(({ to }) => isForBrowsers(to)))).toEqual([]);
  });

  it('consists of files that are all used and have no import cycle', () => {
    const used = new Set([...ENTRIES, ...imports.map(({ to }) => to)]);
    expect(scripts.filter((path) => !used.has(path))).toEqual([]);
    expect(findCircle(inBrowser)).toBeUndefined();
  });

  it('alone knows the names of a browser: all other code compiles without them', () => {
    const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
    const compile = () => execFileSync(process.execPath, [compiler, '--project', 'shared'], { cwd: PROJECT });
    expect(compile().toString()).toBe('');
  });
});

describe('a foreign package', () => {
  it.each([
    ['onnxruntime-node', 'shared/runtime/native.ts'],
    ['onnxruntime-common', undefined],
    ['sharp', 'shared/processing/image/decode/image-file.ts'],
    ['@huggingface/tokenizers', 'shared/processing/text/tokenizer/patterns.ts'],
    ['@aws-sdk/client-s3', undefined],
  ])('%s is imported by one file at most: %s', (name, file) => {
    expect(importersOf((to) => to === name || to.startsWith(`${name}/`))).toEqual(file ? [file] : []);
  });

  // Its name depends on the processor, so the bundler does not see the import.
  it('of koffi is named by one file alone', () => {
    expect(sources.filter((path) => read(path).includes('@koromix/'))).toEqual([
      'shared/runtime/foreign-functions.ts',
    ]);
  });

  it('of AWS, whichever it is, is imported by one file alone, for its profiles', () => {
    expect(importersOf((to) => /^@(aws-sdk|smithy)\//.test(to))).toEqual(['functions/open-s3.ts']);
  });

  it('of a cloud is imported by no other cloud and nothing shared', () => {
    const clouds = new Map([
      [/^(@types\/)?aws-lambda/, 'functions/aws/'],
      [/^@azure\/functions/, 'functions/azure/'],
      [/^@google-cloud\/functions-framework/, 'functions/gcp/'],
    ]);
    const wrong = all.filter(({ from, to }) =>
      [...clouds].some(([name, folder]) => name.test(to) && !from.startsWith(folder)),
    );
    expect(show(wrong)).toEqual([]);
  });

  it('zod is imported in the form that lets bundlers drop what is not used', () => {
    const forms = sources.flatMap((path) =>
      [...read(path).matchAll(/^.*['"]zod[^'"]*['"].*$/gm)].map(([line]) => `${path}: ${line}`),
    );
    expect(forms.length).toBeGreaterThan(0);
    const others = forms.filter((form) => !/: import (?:type )?\* as z from 'zod\/mini';$/.test(form));
    expect(others).toEqual([
      // The build gives this path to the writer of JSON schemas alone (infra/build/zod-plugin.ts).
      "shared/openapi/schema-book.ts: import { toJSONSchema } from 'zod/v4/core';",
    ]);
  });
});

describe('what only functions/ may do', () => {
  it('is to choose stores: everything else knows their interface alone', () => {
    const concrete = all.filter(
      ({ from, to }) =>
        to.startsWith('shared/stores/') &&
        !STORE_INTERFACE.includes(to) &&
        !(from.startsWith('shared/stores/') && !STORE_INTERFACE.includes(from)),
    );
    expect(concrete.length).toBeGreaterThan(0);
    expect(show(concrete.filter(({ from }) => !from.startsWith('functions/')))).toEqual([]);
  });

  it('is to read the environment', () => {
    // Native libraries are configured by environment variables alone; setting one reads nothing.
    const setters = ['shared/runtime/session.ts', 'shared/processing/image/decode/image-file.ts'];
    const withoutSetting = (path: string) =>
      setters.includes(path) ? read(path).replace(/process\.env\.[A-Z_]+ = [^;]+;/, '') : read(path);
    const readers = sources.filter((path) =>
      /\bprocess\s*(\.|\?\.|\[)\s*['"]?env\b|'node:process'/.test(withoutSetting(path)),
    );
    expect(readers.length).toBeGreaterThan(0);
    expect(readers.filter((path) => !path.startsWith('functions/'))).toEqual([]);
  });
});
