import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { extract } from 'tar';
import * as z from 'zod/mini';
import { VERSION } from '../../../shared/version.ts';
import { CommandError } from '../console.ts';
import { runtimePackage } from '../runtime-platforms.ts';
import { makeFolder } from '../temporary-folder.ts';
import { runNpm } from './npm.ts';

/** A package with native libraries for one platform. */
export const nativePackage = z.object({
  name: z.string(),
  version: z.string(),
  /** The hash of its archive, as in a lock file; the archive of another one is refused. */
  integrity: z.optional(z.string()),
});

export type NativePackage = z.infer<typeof nativePackage>;

/** Where packages are looked for. */
export interface PackagePlaces {
  /** A file whose `node_modules` folders are searched, from its own upwards. */
  readonly from: string;
  /** Where ONNX Runtime's libraries are without a package, by platform: in a checkout. */
  readonly runtimes: string;
  /** Where downloaded packages are kept. */
  readonly cache: string;
  /** Says what takes long. */
  readonly note: (text: string) => void;
}

/** Folder of the native libraries in a target's folder; the bundles require them by this path. */
const NATIVE_FOLDER = 'native';

/** The addon that calls the C library; only Linux needs it. */
export const KOFFI_ADDON = `${NATIVE_FOLDER}/koffi.node`;

/** ONNX Runtime's addon. */
export const RUNTIME_ADDON = `${NATIVE_FOLDER}/onnxruntime/onnxruntime_binding.node`;

/**
 * Sharp's addon.
 *
 * @param platform as text, or as an expression in a template
 */
export function sharpAddon(platform: string, version: string): string {
  return `${NATIVE_FOLDER}/sharp-${platform}/lib/sharp-${platform}-${version}.node`;
}

const LIBRARY = /\.(?:node|dll|dylib)$|\.so\b/;

/** ELF machine numbers (System V ABI, e_machine). */
const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 0x3e, arm64: 0xb7 };

/**
 * Copies the native libraries of one platform to `<output>/native`, from installed packages or from packages that npm
 * downloads.
 *
 * @param packages those of sharp and koffi
 * @throws CommandError when a package cannot be had, is not the expected one, or is for another processor
 */
export async function placeNativeFiles(
  packages: readonly NativePackage[],
  platform: string,
  output: string,
  places: PackagePlaces,
): Promise<void> {
  const folder = join(output, NATIVE_FOLDER);
  rmSync(folder, { recursive: true, force: true });
  const [os = '', cpu = ''] = platform.split('-');
  copyLibraries(await findRuntime(platform, places), join(folder, 'onnxruntime'));
  for (const each of packages) {
    const source = await findPackage(each, places);
    if (each.name.startsWith('@img/'))
      copyLibraries(join(source, 'lib'), join(folder, basename(each.name), 'lib'));
    else cpSync(join(source, `${os}_${cpu}`, basename(KOFFI_ADDON)), join(output, KOFFI_ADDON));
  }
  if (os === 'linux') checkMachine(folder, cpu);
}

function copyLibraries(from: string, to: string): void {
  for (const file of readdirSync(from)) if (LIBRARY.test(file)) cpSync(join(from, file), join(to, file));
}

/** npm itself compares the hash of this package with the one that the registry has. */
async function findRuntime(platform: string, places: PackagePlaces): Promise<string> {
  const staged = join(places.runtimes, platform);
  if (existsSync(staged)) return staged;
  return await findPackage({ name: runtimePackage(platform), version: VERSION }, places);
}

/**
 * The folder of exactly this version of a package. npm downloads it, so that the registry, proxy and certificates of
 * the user are used, and it is kept for next time.
 */
export async function findPackage(
  { name, version, integrity }: NativePackage,
  places: PackagePlaces,
): Promise<string> {
  const paths = createRequire(places.from).resolve.paths(name) ?? [];
  const installed = paths.map((path) => join(path, name)).find((folder) => versionOf(folder) === version);
  if (installed !== undefined) return installed;
  const kept = join(places.cache, `${name.replaceAll('/', '-')}-${version}`);
  if (existsSync(kept)) return kept;
  mkdirSync(places.cache, { recursive: true });
  const folder = await makeFolder(places.cache);
  // Without a network npm tries for minutes.
  places.note(`downloading ${name} ${version}, once for all builds of this folder`);
  try {
    download(`${name}@${version}`, folder);
    const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    if (tarball === undefined) throw new CommandError(`npm pack ${name}@${version} wrote no file.`);
    if (integrity !== undefined) checkIntegrity(join(folder, tarball), integrity, name);
    mkdirSync(join(folder, 'package'));
    extract({ file: join(folder, tarball), cwd: join(folder, 'package'), strip: 1, sync: true });
    keep(join(folder, 'package'), kept);
    return kept;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two builds may download the same package; the first one keeps it. */
function keep(folder: string, kept: string): void {
  try {
    renameSync(folder, kept);
  } catch (error) {
    if (!existsSync(kept)) throw error;
  }
}

function versionOf(folder: string): string | undefined {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return undefined;
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8'))).version;
}

/** npm prints the reason itself. */
function download(spec: string, folder: string): void {
  try {
    runNpm(['pack', spec, '--loglevel=error', '--fetch-retries=1'], folder);
  } catch (error) {
    throw new CommandError(`npm cannot download ${spec}, which the build for this platform needs.`, 1, error);
  }
}

function checkIntegrity(file: string, expected: string, name: string): void {
  const actual = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (actual !== expected)
    throw new CommandError(
      `${name} is not the package that Ternion was made with: its hash is ${actual}, expected ${expected}.`,
    );
}

/** A library for another processor deploys without complaint and fails on the first request. */
function checkMachine(folder: string, cpu: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const header = readFileSync(file).subarray(0, 20);
    const isElf = header.subarray(0, 4).toString('latin1') === '\x7fELF';
    if (!isElf || header.readUInt16LE(18) !== ELF_MACHINES[cpu])
      throw new CommandError(`${entry.name} is not for ${cpu}.`);
  }
}
