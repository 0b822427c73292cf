// npm runs this before and after it packs: node infra/build/around-pack.ts <prepack|postpack> The package holds ONNX
// Runtime for all platforms, so that it needs no install script. For platforms other than that of this machine, dist/
// has links only while npm packs, even with --dry-run.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { linkRuntime, RUNTIMES_FOLDER } from './native-files.ts';

const project = join(import.meta.dirname, '../..');
const host = `${process.platform}-${process.arch}`;
const others = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'].filter((each) => each !== host);

if (process.argv[2] === 'prepack') {
  const problem = findStale();
  if (problem !== undefined) {
    console.error(`${problem}: run npm run build -- cli first.`);
    process.exit(1);
  }
  for (const platform of others) linkRuntime(project, platform);
} else {
  for (const platform of others)
    rmSync(join(project, 'dist', RUNTIMES_FOLDER, platform), { recursive: true, force: true });
}

/** npm packs dist/ as it is, so it must be built from the current sources. Undefined if it is. */
function findStale(): string | undefined {
  const [entry, meta] = ['dist/cli/index.mjs', 'dist/meta/cli.json'].map((path) => join(project, path));
  if (!entry || !meta || !existsSync(entry) || !existsSync(meta)) return 'dist/cli is not built';
  const { mtimeMs } = statSync(meta);
  const { inputs }: { inputs: Record<string, unknown> } = JSON.parse(readFileSync(meta, 'utf8'));
  // Inputs that a plugin generates have a namespace before their name, and no file.
  const sources = Object.keys(inputs).filter((path) => !/node_modules\/|^[\w-]+:/.test(path));
  const newer = sources.find((path) => {
    const facts = statSync(join(project, path), { throwIfNoEntry: false });
    return facts === undefined || facts.mtimeMs > mtimeMs;
  });
  return newer === undefined ? undefined : `dist/cli is older than ${newer}`;
}
