// The npm package loads this file in place of the one of onnxruntime-node that finds its addon: the addon comes from a
// package for one platform, which npm chooses.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { MissingPackageError } from '../../shared/errors.ts';
import { VERSION } from '../../shared/version.ts';
import { RUNTIME_PLATFORMS, runtimePackage } from './runtime-platforms.ts';

const PLATFORM = `${process.platform}-${process.arch}`;
const ADDON = 'onnxruntime_binding.node';

const load: (path: string) => unknown = createRequire(import.meta.url);

export default { binding: loadBinding() };

function loadBinding(): unknown {
  // In a checkout the build has placed it beside the bundle.
  const built = join(import.meta.dirname, '../runtimes', PLATFORM, ADDON);
  if (existsSync(built)) return load(built);
  const name = runtimePackage(PLATFORM);
  try {
    return load(`${name}/${ADDON}`);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    if (!isMissing) throw error;
    throw new MissingPackageError(describeMissing(name), { cause: error });
  }
}

/** npm leaves the package out if optional packages are not installed, and where it would not work. */
function describeMissing(name: string): string {
  if (!RUNTIME_PLATFORMS.includes(PLATFORM)) return `ONNX Runtime is not available for ${PLATFORM}`;
  if (isMusl())
    return 'ONNX Runtime needs the C library glibc, which this system, such as Alpine Linux, does not have';
  return `ONNX Runtime is missing, which "npm install ${name}@${VERSION}" installs`;
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report: unknown = process.report.getReport();
  const header =
    typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  return typeof header === 'object' && header !== null && !('glibcVersionRuntime' in header);
}
