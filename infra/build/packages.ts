import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { archiveOf, FUNCTION_TARGETS } from '../../functions/cli/deploy/function-targets.ts';
import { RUNTIME_PLATFORMS, runtimePackage } from '../../functions/cli/runtime-platforms.ts';
import { linkRuntime } from './native-files.ts';

/** The members of package.json that the published one has as well. */
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  type: z.string(),
  engines: z.record(z.string(), z.string()),
  bin: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.unknown()),
  files: z.array(z.string()),
  peerDependencies: z.record(z.string(), z.string()),
  peerDependenciesMeta: z.record(z.string(), z.unknown()),
  optionalDependencies: z.record(z.string(), z.string()),
});

type Manifest = z.infer<typeof manifestSchema>;

/** What the manifests of all packages have in common. */
interface Common {
  readonly version: string;
  readonly license: string;
  readonly repository?: { readonly type: 'git'; readonly url: string };
}

/**
 * Writes the npm packages to `<packages>/<name>`, ready to be packed: `ternion`, and one for each platform with the
 * libraries of ONNX Runtime. The manifest of the project itself cannot name those: `npm ci` refuses a lockfile without
 * them, and a lockfile can only have packages that were published.
 *
 * @returns the folders, those that `ternion` needs first
 * @throws Error when the command is not built from the current sources
 */
export function stagePackages(
  projectFolder: string,
  packages: string = join(projectFolder, 'dist/packages'),
): readonly string[] {
  const problem = findStale(projectFolder);
  if (problem !== undefined) throw new Error(`${problem}: run npm run build first`);
  const manifest = manifestSchema.parse(readJson(join(projectFolder, 'package.json')));
  rmSync(packages, { recursive: true, force: true });
  const runtimes = RUNTIME_PLATFORMS.map((platform) => {
    const folder = join(packages, runtimePackage(platform));
    stageRuntimePackage(projectFolder, platform, folder, commonOf(manifest));
    return folder;
  });
  const main = join(packages, manifest.name);
  stageMainPackage(projectFolder, manifest, main);
  return [...runtimes, main];
}

/** A provenance statement is only accepted for a package that names the repository in which it was made. */
function commonOf({ version, license }: Manifest): Common {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  if (server === undefined || repository === undefined) return { version, license };
  return { version, license, repository: { type: 'git', url: `git+${server}/${repository}.git` } };
}

/** Files of folders in the package that are not for its users. */
const LEFT_OUT = /^docs\/(?:site|api|images\/observe|\.npmignore$)/;

function stageMainPackage(projectFolder: string, manifest: Manifest, folder: string): void {
  for (const path of [...manifest.files, 'README.md', 'CHANGELOG.md', 'LICENSE']) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(projectFolder, path), join(folder, path), {
      recursive: true,
      filter: (source) => !LEFT_OUT.test(source.slice(projectFolder.length + 1).replaceAll('\\', '/')),
    });
  }
  const runtimes = RUNTIME_PLATFORMS.map((platform) => [runtimePackage(platform), manifest.version] as const);
  writeManifest(folder, {
    ...manifest,
    ...commonOf(manifest),
    optionalDependencies: { ...manifest.optionalDependencies, ...Object.fromEntries(runtimes) },
  });
}

/** npm installs only the package whose `os`, `cpu` and `libc` are those of the machine. */
function stageRuntimePackage(projectFolder: string, platform: string, folder: string, common: Common): void {
  const [os = '', cpu = ''] = platform.split('-');
  const name = runtimePackage(platform);
  linkRuntime(projectFolder, platform, folder);
  const licences = join(projectFolder, 'infra/licenses');
  cpSync(join(licences, 'onnxruntime.txt'), join(folder, 'LICENSE'));
  cpSync(join(licences, 'onnxruntime-third-party.txt'), join(folder, 'THIRD-PARTY-NOTICES.txt'));
  const { version: runtime } = z
    .object({ version: z.string() })
    .parse(readJson(join(projectFolder, 'node_modules/onnxruntime-node/package.json')));
  const description = `ONNX Runtime ${runtime} for Ternion on ${platform}.`;
  writeFileSync(join(folder, 'README.md'), `# ${name}\n\n${description} npm installs it with \`ternion\`.\n`);
  writeManifest(folder, {
    name,
    description,
    ...common,
    type: 'commonjs',
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: ['glibc'] }),
    // Yarn keeps packages in archives, from which a library cannot be loaded.
    preferUnplugged: true,
  });
}

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What of the package is built: its file, and the name of the list of its sources. */
const BUILT: readonly (readonly [file: string, meta: string])[] = [
  ['cli/index.mjs', 'cli'],
  ['aws-cdk/index.mjs', 'aws-cdk'],
  ...FUNCTION_TARGETS.map(({ host, name }) => [archiveOf('functions', host), name] as const),
];

/** Which part is not built from the current sources; undefined if all are. */
function findStale(projectFolder: string): string | undefined {
  return BUILT.map(([file, meta]) => findStalePart(projectFolder, file, meta)).find(
    (problem) => problem !== undefined,
  );
}

function findStalePart(projectFolder: string, file: string, name: string): string | undefined {
  const meta = join(projectFolder, 'dist/meta', `${name}.json`);
  if (!existsSync(join(projectFolder, 'dist', file)) || !existsSync(meta)) return `dist/${file} is not built`;
  const { mtimeMs } = statSync(meta);
  const { inputs } = z.object({ inputs: z.record(z.string(), z.unknown()) }).parse(readJson(meta));
  // Inputs that a plugin generates have a namespace before their name, and no file.
  const sources = Object.keys(inputs).filter((path) => !/node_modules\/|^[\w-]+:/.test(path));
  const newer = sources.find((path) => {
    const facts = statSync(join(projectFolder, path), { throwIfNoEntry: false });
    return facts === undefined || facts.mtimeMs > mtimeMs;
  });
  return newer === undefined ? undefined : `dist/${file} is older than ${newer}`;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
