import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { CommandError } from '../console.ts';

/**
 * Runs the npm that runs this program, or the one on the path.
 *
 * @returns what it prints
 */
export function runNpm(commandArguments: readonly string[], cwd: string): string {
  const script = process.env.npm_execpath;
  const isScript = script !== undefined && /npm-cli\.c?js$/.test(script);
  return execFileSync(
    isScript ? process.execPath : 'npm',
    isScript ? [script, ...commandArguments] : commandArguments,
    // On Windows npm is a script of the shell.
    {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: !isScript && process.platform === 'win32',
    },
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

/**
 * Notices that npm has read an option that was meant for a script, because `--` is missing before it.
 *
 * @throws CommandError
 */
export function checkNpm(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment.npm_config_models === undefined) return;
  const script = environment.npm_lifecycle_event ?? '<script>';
  throw new CommandError(
    `npm has kept the option --models for itself; write "--" before it: npm run ${script} -- --models <folder>`,
  );
}
