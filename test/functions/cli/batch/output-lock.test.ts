import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockOutput } from '../../../../functions/cli/batch/output-lock.ts';
import { temporaryFolder } from '../../../support/run-command.ts';

async function hold(output: string, pid: number, host: string): Promise<void> {
  await mkdir(`${output}.lock`);
  await writeFile(join(`${output}.lock`, `${pid}-${randomUUID()}-${host}`), '');
}

describe('the lock of an output', () => {
  it('is held by one, and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'out.jsonl');
    await hold(output, process.ppid, hostname());
    await expect(lockOutput(output)).rejects.toThrow(`Another batch (process ${process.ppid} on`);
    await rm(`${output}.lock`, { recursive: true });
    await hold(output, 1, 'another-machine');
    await expect(lockOutput(output)).rejects.toThrow('process 1 on another-machine');
    await rm(`${output}.lock`, { recursive: true });
    await writeFile(`${output}.lock`, '');
    await expect(lockOutput(output)).rejects.toThrow(`remove ${output}.lock`);
    expect(await readdir(folder)).toEqual(['out.jsonl.lock']);
  });

  it('is taken over from a process that is gone', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'out.jsonl');
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    await hold(output, pid, hostname());
    const release = await lockOutput(output);
    expect(await readdir(folder)).toEqual(['out.jsonl.lock']);
    await release();
    expect(await readdir(folder)).toEqual([]);
  });
});
