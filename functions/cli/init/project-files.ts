import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import template from '../../../template/package.json' with { type: 'json' };
import type { NamedCloud } from './clouds.ts';
import { packageNameOf } from './package-name.ts';

/** In the package, and in the source. */
const TEMPLATE = join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../../template' : '../../template',
);

/** A project that is to be written. */
export interface Project {
  /** The name of its package. */
  readonly name: string;
  /** What is in each file, by its path with `/`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Makes the files of a new project.
 *
 * @param folder its whole path, after which it is named
 */
export async function makeProject(folder: string, clouds: readonly NamedCloud[]): Promise<Project> {
  const packages = [
    ...Object.keys(template.devDependencies),
    ...clouds.flatMap((cloud) => cloud.packages),
  ].sort();
  const name = packageNameOf(folder, ['ternion', ...packages]);
  const builds = clouds.map((cloud) => `      - run: npm run build:${cloud.name}\n`);
  const pages = await Promise.all(clouds.map((cloud) => readTemplate(`clouds/${cloud.name}.md`)));
  const files = new Map<string, Uint8Array>([
    ['package.json', Buffer.from(packageJson(name, packages, clouds))],
    ['README.md', joined(`# ${name}\n`, await readTemplate('README.md'), ...pages)],
    ['.github/workflows/ci.yml', joined(await readTemplate('workflow.yml'), ...builds)],
    // npm does not pack files of these names as they are.
    ['.gitignore', await readTemplate('gitignore')],
    ['.gitattributes', await readTemplate('gitattributes')],
  ]);
  for (const path of COPIED) files.set(path, await readTemplate(path));
  return { name, files };
}

const COPIED = [
  'ternion.config.ts',
  'tsconfig.json',
  'models/iris/1/model.json',
  'models/iris/1/model.onnx',
  'models/iris/1/reference.json',
  'test/iris.test.mjs',
];

function readTemplate(path: string): Promise<Uint8Array> {
  return readFile(join(TEMPLATE, path));
}

function joined(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

function packageJson(name: string, packages: readonly string[], clouds: readonly NamedCloud[]): string {
  const { version, type, scripts, allowScripts } = template;
  const content = {
    name,
    version,
    private: template.private,
    type,
    engines: manifest.engines,
    scripts: { ...scripts, ...Object.assign({}, ...clouds.map((cloud) => cloud.scripts)) },
    dependencies: { ternion: `^${manifest.version}` },
    devDependencies: Object.fromEntries(packages.map((each) => [each, rangeOf(each)])),
    allowScripts,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The version that this package itself is tested with, and later ones that are compatible with it. */
function rangeOf(name: string): string {
  const versions: Readonly<Record<string, string>> = manifest.devDependencies;
  const version = versions[name];
  if (version === undefined) throw new Error(`package.json has no version of ${name}`);
  return `^${version}`;
}
