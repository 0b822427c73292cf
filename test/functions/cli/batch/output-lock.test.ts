import { spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockOutput } from '../../../../functions/cli/batch/output-lock.ts';
import { temporaryFolder } from '../../../support/run-command.ts';

describe('the lock of an output', () => {
  it('is held by one, and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'out.jsonl');
    await writeFile(`${output}.lock`, `${process.ppid} ${hostname()}`);
    await expect(lockOutput(output)).rejects.toThrow(`Another batch (process ${process.ppid} on`);
    await writeFile(`${output}.lock`, '1 another-machine');
    await expect(lockOutput(output)).rejects.toThrow('process 1 on another-machine');
    expect(await readdir(folder)).toEqual(['out.jsonl.lock']);
  });

  it('is taken over from a process that is gone', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'out.jsonl');
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    await writeFile(`${output}.lock`, `${pid} ${hostname()}`);
    const release = await lockOutput(output);
    expect(await readdir(folder)).toEqual(['out.jsonl.lock']);
    await release();
    expect(await readdir(folder)).toEqual([]);
  });
});
