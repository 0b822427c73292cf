import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { externalInitializer } from '../../support/build-model.ts';
import { sumModel } from '../../support/outside-weights.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

describe.each(['none', 'ZipMap', 'StringNormalizer', 'TopK'])(
  'the commands on a model with weights outside (%s)',
  (extra) => {
    const model = sumModel(extra, 'initializer', (name) => externalInitializer(name, 'data/w.bin'));
    /** Runs a command in a folder that has a file of the same name. */
    const run = async (...args: string[]) => {
      const decoy = await temporaryFolder();
      await writeFiles(decoy, { 'data/w.bin': floats(7, 7), 'w.bin': floats(7, 7) });
      return await startCommand(args, '', {}, decoy).outcome;
    };
    const predict = async (path: string) => {
      const { stdout, stderr } = await run('--json', 'predict', path, '{"inputs": {"x": [[1, 2]]}}');
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout).outputs.y;
    };

    it('answer, inspect and publish with those of the model', async () => {
      const folder = await temporaryFolder();
      await writeFiles(folder, { 'export/model.onnx': model, 'export/data/w.bin': floats(10, 20) });
      await writeFiles(folder, { 'export/model.json': '{"task": "tensor"}' });
      expect(await predict(join(folder, 'export'))).toEqual([[11, 22]]);
      const inspected = await run('inspect', '--json', join(folder, 'export'));
      expect([inspected.code, inspected.stderr]).toEqual([0, '']);
      for (const [version, ...optimize] of [['1'], ['2', '--optimize']]) {
        const repository = join(folder, 'repository');
        const place = ['--name', 'm', '--version', version ?? '', '--repository', repository];
        const added = await run('add', join(folder, 'export'), ...place, ...optimize);
        expect([added.code, added.stderr]).toEqual([0, '']);
        expect(await predict(join(repository, `m/${version}`))).toEqual([[11, 22]]);
      }
    });

    it('refuse it without them', async () => {
      const folder = await temporaryFolder();
      await writeFiles(folder, { 'export/model.onnx': model });
      for (const command of [['inspect'], ['add', '--repository', join(folder, 'repository')]]) {
        const { code, stdout, stderr } = await run(...command, join(folder, 'export'));
        expect(code).toBe(1);
        expect(stdout + stderr).toContain('its data file "data/w.bin" is missing');
      }
    });
  },
);
