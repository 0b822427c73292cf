import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { extract } from 'tar';
import * as z from 'zod';
import { runNpm } from './npm.ts';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/** Folder of the native libraries in a target's folder; the bundles require them by this path. */
export const NATIVE_FOLDER = 'native';

/** ELF machine numbers (System V ABI, e_machine). */
const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 0x3e, arm64: 0xb7 };

/**
 * Copies the native libraries of one platform to `<output>/native`: ONNX Runtime's from its package, which has all
 * platforms, and those of sharp and koffi from node_modules or, for another platform, from their packages in the
 * registry. Downloads are checked against the integrity hash in package-lock.json.
 *
 * @param hasKoffi whether koffi's addon is one of them
 *
 * @throws Error when a platform has no library, a hash differs, or a file is for another processor
 */
export function stageNativeFiles(
  projectFolder: string,
  platform: string,
  output: string,
  hasKoffi: boolean,
): void {
  const folder = join(output, NATIVE_FOLDER);
  rmSync(folder, { recursive: true, force: true });
  const [os = '', cpu = ''] = platform.split('-');
  cpSync(findRuntime(projectFolder, platform), join(folder, 'onnxruntime'), { recursive: true });
  for (const [name, source] of sharpFolders(projectFolder, platform)) {
    for (const file of readdirSync(join(source, 'lib')).filter((entry) =>
      /\.(node|dll|dylib)$|\.so\b/.test(entry),
    )) {
      cpSync(join(source, 'lib', file), join(folder, name.replace('@img/', ''), 'lib', file));
    }
  }
  for (const source of hasKoffi ? koffiFolders(projectFolder, platform) : []) {
    cpSync(join(source, `${os}_${cpu}`, KOFFI_ADDON), join(folder, KOFFI_ADDON));
  }
  if (os === 'linux') checkMachine(folder, cpu);
}

/** The addon that calls the C library; only Linux needs it. */
export const KOFFI_ADDON = 'koffi.node';

/** The package of koffi's addon for a platform, if it has one. */
export function koffiFolders(projectFolder: string, platform: string): readonly string[] {
  const name = `@koromix/koffi-${platform}`;
  return readLock(projectFolder).packages[`node_modules/${name}`] ? [findPackage(projectFolder, name)] : [];
}

/**
 * Copies ONNX Runtime's libraries of a platform to `dist/runtimes/<os>-<cpu>`, except those that Ternion never loads. In
 * a checkout, the bundle of the npm package finds them there (`functions/cli/runtime-package.ts`).
 */
export function stageRuntime(projectFolder: string, platform: string): void {
  const folder = join(projectFolder, 'dist/runtimes', platform);
  rmSync(folder, { recursive: true, force: true });
  placeRuntime(projectFolder, platform, folder, copyFileSync);
}

/** Links the same libraries to a folder, which takes no time and no space. */
export function linkRuntime(projectFolder: string, platform: string, folder: string): void {
  placeRuntime(projectFolder, platform, folder, (from, to) => {
    try {
      linkSync(from, to);
    } catch {
      // The package may be on another disk.
      copyFileSync(from, to);
    }
  });
}

function placeRuntime(
  projectFolder: string,
  platform: string,
  folder: string,
  place: (from: string, to: string) => void,
): void {
  const source = findRuntime(projectFolder, platform);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(source).filter((name) => !UNUSED_LIBRARIES.test(name)))
    place(join(source, file), join(folder, file));
}

/** Libraries that only WebGPU needs, and a second copy of a library under its full version. */
const UNUSED_LIBRARIES = /dxcompiler\.dll$|dxil\.dll$|libonnxruntime\.\d+\.\d+\.\d+\.dylib$/;

function findRuntime(projectFolder: string, platform: string): string {
  const [os = '', cpu = ''] = platform.split('-');
  const folder = join(projectFolder, 'node_modules/onnxruntime-node/bin/napi-v6', os, cpu);
  if (!existsSync(folder)) throw new Error(`onnxruntime-node has no binaries for ${platform}`);
  return folder;
}

/** Name of sharp's addon, which contains sharp's version: `sharp-linux-x64-0.35.5.node`. */
export function sharpAddon(output: string, platform: string): string {
  const folder = join(output, NATIVE_FOLDER, `sharp-${platform}`, 'lib');
  const addon = readdirSync(folder).find((file) => file.endsWith('.node'));
  if (!addon) throw new Error(`sharp has no addon for ${platform}`);
  return `./${NATIVE_FOLDER}/sharp-${platform}/lib/${addon}`;
}

/** The packages of sharp's libraries for a platform, by name. */
export function sharpFolders(projectFolder: string, platform: string): ReadonlyMap<string, string> {
  const names = sharpPackages(projectFolder, platform);
  return new Map(names.map((name) => [name, findPackage(projectFolder, name)]));
}

/** The addon and, except on Windows, the library that it links to. */
function sharpPackages(projectFolder: string, platform: string): string[] {
  const names = [`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`];
  const locked = names.filter((name) => readLock(projectFolder).packages[`node_modules/${name}`]);
  if (!locked.includes(`@img/sharp-${platform}`)) throw new Error(`sharp has no binaries for ${platform}`);
  return locked;
}

function findPackage(projectFolder: string, name: string): string {
  const installed = join(projectFolder, 'node_modules', name);
  return existsSync(join(installed, 'package.json')) ? installed : fetchPackage(projectFolder, name);
}

/**
 * Downloads a package with npm, so that the user's registry, proxy and certificates are used, and keeps it for next
 * time.
 */
function fetchPackage(projectFolder: string, name: string): string {
  const locked = readLock(projectFolder).packages[`node_modules/${name}`];
  const cache = join(projectFolder, 'node_modules/.cache/ternion');
  const kept = join(cache, `${basename(name)}-${locked?.version}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fetch-'));
  // Without a network npm tries for minutes.
  console.log(`downloading ${name} ${locked?.version}, once for all builds of this folder`);
  try {
    runNpm(['pack', `${name}@${locked?.version}`, '--pack-destination', folder, '--silent'], folder);
    const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    if (!tarball) throw new Error(`npm pack ${name} wrote no file`);
    checkIntegrity(join(folder, tarball), locked?.integrity, name);
    mkdirSync(join(folder, 'package'));
    extract({ file: join(folder, tarball), cwd: join(folder, 'package'), strip: 1, sync: true });
    renameSync(join(folder, 'package'), kept);
    return kept;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkIntegrity(file: string, integrity: string | undefined, name: string): void {
  const actual = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (actual !== integrity)
    throw new Error(`${name} differs from package-lock.json: ${actual}, expected ${integrity}`);
}

/** A library for another processor deploys without complaint and fails on the first request. */
function checkMachine(folder: string, cpu: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const header = readFileSync(file).subarray(0, 20);
    const isElf = header.subarray(0, 4).toString('latin1') === '\x7fELF';
    if (!isElf || header.readUInt16LE(18) !== ELF_MACHINES[cpu])
      throw new Error(`${entry.name} is not for ${cpu}`);
  }
}

function readLock(projectFolder: string): z.infer<typeof lockSchema> {
  return lockSchema.parse(JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')));
}
