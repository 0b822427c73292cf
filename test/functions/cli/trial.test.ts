import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { countingTo } from '../../support/loops.ts';
import { runCommand, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

/** Takes hours. */
const endless = countingTo(2n ** 30n);

async function folderWith(model: Uint8Array): Promise<string> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'model.onnx': model });
  return folder;
}

/** The processes that a process has started and that still run. */
function childrenOf(pid: number | undefined): readonly number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 2000; attempt++) {
    const found = look();
    if (found !== undefined) return found;
    await wait(5);
  }
  throw new Error('it has not come to pass');
}

const isAlive = (pid: number) => {
  try {
    // A process that has ended stays as a zombie until its parent waits for it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a model that never ends', () => {
  it.each([['inspect'], ['add', '--repository', '/nowhere']])(
    'is refused by ternion %s',
    async (...command) => {
      const { code, stdout, stderr } = await runCommand([...command, await folderWith(endless)]);
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(
        /its Loop can take more than 1000 iterations, so it was tried in a separate process, which did not end within 10 s, which is the limit \(MAX_TRIAL_SECONDS\)/,
      );
    },
  );

  it.each([['inspect'], ['add', '--repository', '/nowhere']])(
    'is refused by ternion %s where its turns are counted',
    async (...command) => {
      const { code, stdout, stderr } = await startCommand(
        [...command, await folderWith(countingTo(2n ** 62n))],
        '',
        // A slow machine takes more than ten seconds for all the turns.
        { MAX_TRIAL_SECONDS: '100' },
      ).outcome;
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(
        /its Loop can take more than 1000 iterations, so it was tried in a separate process, which did not end within 1048576 iterations/,
      );
    },
  );

  it('is tried in a process that has no secrets, and that does not outlive the command', async () => {
    const environment = { AWS_SECRET_ACCESS_KEY: 'secret', HOME: '/nowhere', LANG: 'C.UTF-8' };
    const { process: command, outcome } = startCommand(
      ['inspect', await folderWith(endless)],
      '',
      environment,
    );
    const trial = await until(() => childrenOf(command.pid)[0]);
    // Until it runs its own program, a new process shows the environment of the one that started it.
    await until(
      () =>
        readFileSync(`/proc/${trial}/cmdline`, 'utf8') !==
          readFileSync(`/proc/${command.pid}/cmdline`, 'utf8') || undefined,
    );
    const variables = await until(() => readFileSync(`/proc/${trial}/environ`, 'utf8') || undefined);
    const names = variables.split('\0').map((variable) => variable.split('=')[0]);
    expect(names.filter((name) => name !== '').sort()).toEqual([
      'LANG',
      'NODE_CHANNEL_FD',
      'NODE_CHANNEL_SERIALIZATION_MODE',
      'ORT_DISABLE_TELEMETRY',
      'PATH',
    ]);
    await wait(1000);
    expect(isAlive(trial)).toBe(true);
    command.kill('SIGKILL');
    await outcome;
    await until(() => (isAlive(trial) ? undefined : true));
  });
});

describe('a model with a long Loop that ends', () => {
  it('is inspected and published as any other', async () => {
    const folder = await folderWith(countingTo(5000n));
    expect((await runCommand(['inspect', folder])).code).toBe(0);
    const repository = join(await temporaryFolder(), 'repository');
    const added = await runCommand(['add', folder, '--name', 'm', '--repository', repository]);
    expect([added.code, added.stderr]).toEqual([0, '']);
  });
});
