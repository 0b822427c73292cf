import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { BuildPlaces } from '../../functions/cli/deploy/build-function.ts';
import type { NativePackage } from '../../functions/cli/deploy/native-packages.ts';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/** Where a build of this project finds the parts of Ternion. */
export function placesOf(projectFolder: string): BuildPlaces {
  return {
    from: join(projectFolder, 'package.json'),
    runtimes: join(projectFolder, 'dist/runtimes'),
    functions: join(projectFolder, 'dist/functions'),
    cache: join(projectFolder, 'node_modules/.cache/ternion'),
    note: console.log,
  };
}

/** The packages with the libraries of sharp for a platform, and with koffi's addon if it has one, as they are locked. */
export function nativePackagesOf(
  projectFolder: string,
  platform: string,
  hasKoffi: boolean,
): readonly NativePackage[] {
  // The addon and, except on Windows, the library that it links to.
  const sharp = [`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`];
  const names = [...sharp, ...(hasKoffi ? [`@koromix/koffi-${platform}`] : [])];
  const { packages } = lockSchema.parse(
    JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')),
  );
  const found = names.flatMap((name) => {
    const { version, integrity } = packages[`node_modules/${name}`] ?? {};
    return version === undefined || integrity === undefined ? [] : [{ name, version, integrity }];
  });
  if (found[0]?.name !== sharp[0]) throw new Error(`sharp has no binaries for ${platform}`);
  return found;
}

/**
 * Links ONNX Runtime's libraries of a platform to `dist/runtimes/<os>-<cpu>`. In a checkout, builds and the bundle of
 * the npm package find them there (`functions/cli/runtime-package.ts`).
 */
export function stageRuntime(projectFolder: string, platform: string): void {
  const folder = join(projectFolder, 'dist/runtimes', platform);
  rmSync(folder, { recursive: true, force: true });
  linkRuntime(projectFolder, platform, folder);
}

/** Links ONNX Runtime's libraries of a platform to a folder, except those that Ternion never loads. */
export function linkRuntime(projectFolder: string, platform: string, folder: string): void {
  const source = runtimeFolder(projectFolder, platform);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(source).filter((name) => !UNUSED_LIBRARIES.test(name)))
    link(join(source, file), join(folder, file));
}

/** A link takes no time and no space. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // The package may be on another disk.
    copyFileSync(from, to);
  }
}

/** Libraries that only WebGPU needs, and a second copy of a library under its full version. */
const UNUSED_LIBRARIES = /dxcompiler\.dll$|dxil\.dll$|libonnxruntime\.\d+\.\d+\.\d+\.dylib$/;

function runtimeFolder(projectFolder: string, platform: string): string {
  const [os = '', cpu = ''] = platform.split('-');
  const folder = join(projectFolder, 'node_modules/onnxruntime-node/bin/napi-v6', os, cpu);
  if (!existsSync(folder)) throw new Error(`onnxruntime-node has no binaries for ${platform}`);
  return folder;
}
