import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSame } from '../support/estimators.ts';
import { EXAMPLES, versionsOf } from '../support/examples.ts';
import { PROJECT } from '../support/project.ts';
import { runCommand } from '../support/run-command.ts';
import type { Counterpart } from './counterpart.ts';
import { folderOf } from './installation.ts';

/** What train.py writes besides the models: tables and pictures, which are the same to the byte. */
const DATA = ['.csv', '.jsonl', '.jpg', '.png'];

/**
 * Runs the train.py of an example again, with the packages of its requirements.txt, and expects the same models.
 *
 * @param tolerance how far answers may be apart on processors that round sums otherwise
 */
export function describeTraining(counterpart: Counterpart, example: string, tolerance: number): void {
  describe(`examples/${example}/train.py`, () => {
    const committed = join(EXAMPLES, example);
    let folder: string;
    let trained: string;

    beforeAll(async () => {
      const python = join(folderOf(counterpart), 'bin/python');
      folder = await mkdtemp(join(tmpdir(), 'ternion-training-'));
      trained = join(folder, 'examples', example);
      await cp(join(PROJECT, 'models/training.py'), join(folder, 'models/training.py'));
      await cp(join(committed, 'train.py'), join(trained, 'train.py'));
      await promisify(execFile)(python, [join(trained, 'train.py')], { cwd: folder });
    }, 480_000);
    afterAll(() => rm(folder, { recursive: true }));

    it('writes the data that is in the example', async () => {
      const paths = await readdir(committed, { recursive: true });
      const data = paths.filter((path) => DATA.includes(extname(path)));
      const differing = [];
      for (const path of data) {
        const [before, after] = await Promise.all([committed, trained].map((at) => readFile(join(at, path))));
        if (before === undefined || after?.equals(before) !== true) differing.push(path);
      }
      expect(differing).toEqual([]);
    });

    it.each(versionsOf(example))('describes %s as it was', async (version) => {
      const [before, after] = await readBoth(join('models', version, 'model.json'));
      expectSame(after, before, 'model.json', tolerance);
    });

    it.each(versionsOf(example))('makes %s answer as it did', async (version) => {
      const [before, after] = await readBoth(join('models', version, 'reference.json'));
      expectSame(after, before, 'reference.json', tolerance);
      const args = ['add', join(trained, 'models', version), '--name', 'again', '-r', join(folder, version)];
      const { code, stdout, stderr } = await runCommand(args);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(' of reference.json as expected');
    });

    async function readBoth(path: string): Promise<readonly unknown[]> {
      const texts = await Promise.all([committed, trained].map((at) => readFile(join(at, path), 'utf8')));
      return texts.map((text) => JSON.parse(text));
    }
  });
}
