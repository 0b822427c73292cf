import { execFile } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type PackedPackage, packFolder } from '../../../functions/cli/deploy/npm.ts';
import { stagePackages } from '../../../infra/build/packages.ts';
import { PROJECT } from '../../support/project.ts';

const run = promisify(execFile);

/** The platform of this machine. */
export const PLATFORM = `${process.platform}-${process.arch}`;

export interface Packed {
  /** Where the archives are, and the folder of each package by its name. */
  readonly folder: string;
  readonly packages: ReadonlyMap<string, PackedPackage>;
}

/** Packs everything that `npm run release` publishes. */
export async function packAll(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-packed-'));
  const packages = stagePackages(PROJECT, folder).map((staged) => {
    const name = staged.slice(folder.length + 1).replaceAll('\\', '/');
    return [name, packFolder(staged, folder)] as const;
  });
  return { folder, packages: new Map(packages) };
}

/** A project of somebody else, with the package installed. */
export interface Consumer {
  readonly folder: string;
  /** Runs a module of the project. */
  readonly node: (source: string) => Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Runs the command of the package. */
  readonly ternion: (...args: readonly string[]) => Promise<{ readonly stdout: string }>;
  /** Copies packages of Ternion's own node_modules, as if the project had installed them. */
  readonly add: (...names: readonly string[]) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/**
 * Installs packed packages, without a network: optional packages that are not among them stay out.
 *
 * @param files the packages by name
 * @param parent where the project is
 */
export async function install(files: ReadonlyMap<string, string>, parent = tmpdir()): Promise<Consumer> {
  const folder = await mkdtemp(join(parent, 'ternion-consumer-'));
  const dependencies = Object.fromEntries([...files].map(([name, file]) => [name, `file:${file}`]));
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund'], { cwd: folder });
  let modules = 0;
  return {
    folder,
    node: async (source) => {
      modules += 1;
      const file = join(folder, `module-${modules}.mjs`);
      await writeFile(file, source);
      return await run(process.execPath, [file], { cwd: folder });
    },
    ternion: (...args) => run(join(folder, 'node_modules/.bin/ternion'), args, { cwd: folder }),
    add: async (...names) => {
      for (const name of names) {
        const target = join(folder, 'node_modules', name);
        await mkdir(join(target, '..'), { recursive: true });
        await cp(join(PROJECT, 'node_modules', name), target, { recursive: true });
      }
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** The packages that npm would get from elsewhere on this machine, packed from where they are installed. */
export function packInstalled(names: readonly string[], destination: string): ReadonlyMap<string, string> {
  return new Map(
    names.map((name) => [name, packFolder(join(PROJECT, 'node_modules', name), destination).file]),
  );
}

/** Bytes of all files below a folder. */
export function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
}

/** Names of the files that libraries of native code have. */
export function librariesOf({ paths }: PackedPackage): readonly string[] {
  return paths.filter((path) => /\.(?:node|dll|dylib)$|\.so\b/.test(path)).map((path) => basename(path));
}
