import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockOutput } from '../../../../functions/cli/batch/output-lock.ts';
import { ownName } from '../../../../shared/leftovers.ts';
import { temporaryFolder } from '../../../support/run-command.ts';

async function hold(output: string, pid: number, maker = ownName().slice(0, 16)): Promise<void> {
  await mkdir(`${output}.lock`);
  await writeFile(join(`${output}.lock`, `${maker}-${pid}-${randomUUID()}@a-machine`), '');
}

describe('the lock of an output', () => {
  it('is held by one process, and leaves no files', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'out.jsonl');
    await hold(output, process.ppid);
    await expect(lockOutput(output)).rejects.toThrow(`Another batch (process ${process.ppid} on`);
    await rm(`${output}.lock`, { recursive: true });
    await hold(output, 2 ** 30, '0123456789abcdef');
    await expect(lockOutput(output)).rejects.toThrow(`process ${2 ** 30} on a-machine`);
    await rm(`${output}.lock`, { recursive: true });
    await writeFile(`${output}.lock`, '');
    await expect(lockOutput(output)).rejects.toThrow(`remove ${output}.lock`);
    expect(await readdir(folder)).toEqual(['out.jsonl.lock']);
  });

  it('is taken over from a process that has ended', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'out.jsonl');
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    await hold(output, pid);
    const release = await lockOutput(output);
    expect(await readdir(folder)).toEqual(['out.jsonl.lock']);
    await release();
    expect(await readdir(folder)).toEqual([]);
  });
});
