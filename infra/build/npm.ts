import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';

/**
 * Runs the npm that runs this script, or the one on the path.
 *
 * @returns what it prints
 */
export function runNpm(commandArguments: readonly string[], cwd: string): string {
  const script = process.env.npm_execpath;
  const isScript = script !== undefined && /\.c?js$/.test(script);
  return execFileSync(
    isScript ? process.execPath : 'npm',
    isScript ? [script, ...commandArguments] : commandArguments,
    { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

const packedSchema = z.tuple([
  z.object({
    filename: z.string(),
    size: z.number(),
    unpackedSize: z.number(),
    files: z.array(z.object({ path: z.string() })),
  }),
]);

/** The archive of a package. */
export interface PackedPackage {
  readonly file: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** The paths in it, in the order of the alphabet. */
  readonly paths: readonly string[];
}

/** Packs the package in a folder. */
export function packFolder(folder: string, destination: string): PackedPackage {
  const printed = runNpm(['pack', '--json', '--silent', '--pack-destination', destination], folder);
  const [{ filename, size, unpackedSize, files }] = packedSchema.parse(JSON.parse(printed));
  return {
    file: join(destination, filename),
    packedBytes: size,
    unpackedBytes: unpackedSize,
    paths: files.map(({ path }) => path).sort(),
  };
}
