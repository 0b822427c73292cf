import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { packFolder } from '../../../../functions/cli/deploy/npm.ts';
import { startNpmRegistry } from '../../../support/npm-registry.ts';
import { PROJECT } from '../../../support/project.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const NAME = '@ternion/example';

/** A project whose registry has one package that is not installed. */
async function makeProject() {
  const folder = await makeFolder({
    'package.json': `{"name": "${NAME}", "version": "1.2.3"}`,
    'lib/a.node': 'addon',
  });
  const packed = packFolder(folder, folder);
  const registry = await startNpmRegistry(new Map([[NAME, { folder, packed }]]));
  onTestFinished(() => registry.close());
  const project = await makeFolder({ 'package.json': '{}', '.npmrc': `registry=${registry.url}\n` });
  const hash = createHash('sha512').update(readFileSync(packed.file)).digest('base64');
  return { project, integrity: `sha512-${hash}` };
}

/** Looks for the package in a process of its own, as several builds at once do. */
const SCRIPT = `
  import { findPackage } from ${JSON.stringify(join(PROJECT, 'functions/cli/deploy/native-packages.ts'))};
  const [folder, integrity] = process.argv.slice(1);
  const places = { from: folder + '/package.json', runtimes: folder, cache: folder + '/cache', note: console.error };
  const found = await findPackage({ name: '${NAME}', version: '1.2.3', integrity }, places).catch((error) => error.message);
  console.log(found);`;

it('downloads a package once, and compares its hash', async () => {
  const { project, integrity } = await makeProject();
  const find = (expected: string) =>
    new Promise<string>((resolve, reject) => {
      const args = ['--input-type=module', '--eval', SCRIPT, project, expected];
      const child = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'ignore'] });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.on('error', reject).on('close', () => resolve(text.trim()));
    });
  expect(await find('sha512-other')).toBe(
    `${NAME} is not the package that Ternion was made with: its hash is ${integrity}, expected sha512-other.`,
  );
  expect(existsSync(join(project, 'cache/@ternion-example-1.2.3'))).toBe(false);
  const kept = join(project, 'cache/@ternion-example-1.2.3');
  expect(await Promise.all([find(integrity), find(integrity), find(integrity)])).toEqual([kept, kept, kept]);
  expect(readFileSync(join(kept, 'lib/a.node'), 'utf8')).toBe('addon');
  expect(readdirSync(join(project, 'cache'))).toEqual(['@ternion-example-1.2.3']);
});
