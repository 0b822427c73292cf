// Compares Ternion with software in other languages: npm run test:real [-- --heavy] [-- --install] [-- <name> ...]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Counterpart } from './counterpart.ts';
import { ensureInstalled } from './installation.ts';

const { values, positionals } = parseArgs({
  options: {
    heavy: { type: 'boolean', default: false },
    /** Installs the counterparts, and tests nothing. */
    install: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const all = await findCounterparts();
const names = all.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No counterpart ${unknown.join(', ')}; there are ${names.join(', ')}.`);
  process.exit(1);
}
const chosen = all.filter(({ name, isHeavy = false }) =>
  positionals.length > 0 ? positionals.includes(name) : isHeavy === values.heavy,
);
if (chosen.length === 0) {
  console.log('There is no counterpart of this kind.');
  process.exit();
}
const needed = new Set(chosen.flatMap((counterpart) => [...(counterpart.needs ?? []), counterpart]));
for (const counterpart of needed) await install(counterpart);
if (values.install) process.exit();

// The tests of a counterpart that could not be installed fail there.
const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
const folders = chosen.map(({ name }) => `test/real/${name}/`);
const config = join(import.meta.dirname, 'vitest.config.ts');
const tests = spawn(process.execPath, [vitest, 'run', '--config', config, ...folders], { stdio: 'inherit' });
const [code] = await once(tests, 'exit');
process.exitCode = code === 0 ? process.exitCode : 1;

async function findCounterparts(): Promise<readonly Counterpart[]> {
  const files = globSync('*/counterpart.ts', { cwd: import.meta.dirname }).sort();
  const modules: { counterpart: Counterpart }[] = await Promise.all(
    files.map((file) => import(join(import.meta.dirname, file))),
  );
  return modules.map(({ counterpart }) => counterpart);
}

async function install(counterpart: Counterpart): Promise<void> {
  const startMs = performance.now();
  try {
    const isNew = await ensureInstalled(counterpart);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(`${counterpart.pin}: ${isNew ? `installed in ${seconds} s` : 'installed before'}`);
  } catch (error) {
    console.error(`${counterpart.pin} could not be installed.`, error);
    process.exitCode = 1;
  }
}
