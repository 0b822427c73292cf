import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The types of something that people can import from the package. */
interface PublicTypes {
  /** The kept file, in which each commit shows how it changes what is public. */
  readonly kept: string;
  /** Its copy in the package, below dist/. */
  readonly built: string;
  /** The module that it describes. */
  readonly module: string;
}

const PUBLIC_TYPES: readonly PublicTypes[] = [
  { kept: 'docs/api/ternion.d.ts', built: 'types/index.d.ts', module: 'functions/cli/library/index.ts' },
  { kept: 'docs/api/aws-cdk.d.ts', built: 'types/aws-cdk.d.ts', module: 'infra/aws-cdk.ts' },
];

/** Copies the kept files into the package: to make them takes longer than all else in a build. */
export function copyPublicTypes(projectFolder: string): void {
  for (const { kept, built } of PUBLIC_TYPES) {
    cpSync(join(projectFolder, kept), join(projectFolder, 'dist', built));
  }
}

/**
 * Makes the types of the package: for each module one file that imports only other packages.
 *
 * @returns the text of each file, by the path of the kept one in the project
 */
export async function makePublicTypes(projectFolder: string): Promise<ReadonlyMap<string, string>> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'ternion-types-'));
  try {
    declare(projectFolder, folder);
    const texts = PUBLIC_TYPES.map(
      async ({ kept, module }) =>
        [kept, await bundle(join(folder, module.replace(/\.ts$/, '.d.ts')))] as const,
    );
    return new Map(await Promise.all(texts));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes a `.d.ts` for each file that the public modules import. */
function declare(projectFolder: string, output: string): void {
  const config = join(output, 'tsconfig.json');
  const settings = {
    extends: join(projectFolder, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: projectFolder,
      outDir: output,
      rewriteRelativeImportExtensions: true,
      typeRoots: [join(projectFolder, 'node_modules/@types')],
    },
    include: [],
    files: PUBLIC_TYPES.map(({ module }) => join(projectFolder, module)),
  };
  writeFileSync(config, JSON.stringify(settings));
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(process.execPath, [join(compiler, '../bin/tsc'), '--project', config], { stdio: 'inherit' });
}

async function bundle(input: string): Promise<string> {
  const [{ rolldown }, { dts }] = await Promise.all([import('rolldown'), import('rolldown-plugin-dts')]);
  const build = await rolldown({
    input,
    external: (name) => /^[^./]/.test(name) && !name.endsWith('.d.ts'),
    // What internal files import is not what the public types need.
    treeshake: { moduleSideEffects: false },
    // The declarations are there already; the generator only has to be one that needs no compiler.
    plugins: [dts({ dtsInput: true, tsconfig: false, generator: 'oxc' })],
  });
  try {
    const { output } = await build.generate({ format: 'esm' });
    const [chunk, ...others] = output.filter((each) => each.type === 'chunk');
    if (chunk === undefined || others.length > 0) throw new Error('the types are more than one file');
    return exportInPlace(chunk.code);
  } finally {
    await build.close();
  }
}

/**
 * Moves `export` from the list at the end to each declaration: a project can add members only to an interface that is
 * exported where it is declared, as it does with `Models`. Without any list, everything would be public.
 */
function exportInPlace(code: string): string {
  const list = /^export (?:type )?\{ ?(.*?) ?\};\s*$/m.exec(code);
  if (list === null) throw new Error('the types have no list of what is public');
  const names = (list[1] ?? '').split(', ').filter((name) => name !== '');
  return names.reduce(
    (text, name) => {
      const declaration = new RegExp(`^(?=(?:interface|type|declare class) ${name}\\b)`, 'm');
      if (!declaration.test(text)) throw new Error(`the types declare no ${name}`);
      return text.replace(declaration, 'export ');
    },
    code.replace(list[0], 'export {};\n'),
  );
}
