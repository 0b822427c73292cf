import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { folderOf } from '../installation.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const IRIS = join(PROJECT, 'models/iris/1');

let server: RunningServer;
let run: string;

beforeAll(async () => {
  server = await startServer(counterpart);
  const python = join(folderOf(counterpart), 'bin/python');
  const script = join(import.meta.dirname, 'register.py');
  const { stdout } = await promisify(execFile)(python, [script, server.url, join(IRIS, 'model.onnx')]);
  run = /^[0-9a-f]{32}$/m.exec(stdout)?.[0] ?? '';
});
afterAll(() => server?.close());

describe('ternion add of a model in the registry of MLflow', () => {
  it('finds it by alias, version, as the latest one, and by its run', async () => {
    expect(run).not.toBe('');
    const folder = await temporaryFolder();
    const repository = join(folder, 'repository');
    const environment = { MLFLOW_TRACKING_URI: server.url, MODEL_CACHE_FOLDER: join(folder, 'cache') };
    const addresses = [
      'models:/iris@champion',
      'models:/iris/1',
      'models:/iris/latest',
      `runs:/${run}/flowers`,
    ];
    for (const [index, source] of addresses.entries()) {
      const args = ['add', source, '--name', 'iris', '-r', repository];
      const { code, stdout, stderr } = await startCommand(args, '', environment).outcome;
      expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/^iris\/\d is in /)]);
      const lineage = JSON.parse(await readFile(join(repository, `iris/${index + 1}/lineage.json`), 'utf8'));
      const version = source.startsWith('runs:') ? {} : { name: 'iris', version: '1' };
      expect(lineage).toEqual({
        source,
        mlflow: {
          server: server.url,
          runId: run,
          modelUuid: expect.stringMatching(/^m-[0-9a-f]{32}$/),
          ...version,
        },
      });
    }
    const row = '[[5.1, 3.5, 1.4, 0.2]]';
    const ask = async (model: string, ...args: string[]) =>
      (await startCommand(['predict', model, row, ...args]).outcome).stdout;
    expect(await ask('iris', '-r', repository)).toMatch(/\d/);
  });

  it('says what the server says of a version that does not exist', async () => {
    const environment = { MLFLOW_TRACKING_URI: server.url };
    for (const [source, what] of [
      ['models:/iris/9', 'version 9 of "iris"'],
      ['models:/iris@best', 'alias "best" of "iris"'],
    ] as const) {
      const args = ['add', source, '-r', await temporaryFolder()];
      const { code, stderr } = await startCommand(args, '', environment).outcome;
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining(`${what} does not exist on ${new URL(server.url).host}. MLflow: `),
      ]);
    }
  });
});
