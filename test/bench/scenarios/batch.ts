import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT } from '../../support/project.ts';
import { createRandom } from '../models/random.ts';
import { inTurn, type Scenario } from '../scenario.ts';
import { ENVIRONMENT, nodeCommand } from '../servers.ts';

const HEADER = 'sepal_length,sepal_width,petal_length,petal_width';

export const batch: Scenario = {
  name: 'batch',
  title: 'A batch of rows',
  about:
    '`ternion batch` runs the iris model for each row of a CSV file, from the start of the command to its end. The limit reads, ' +
    'runs and writes the same rows without checks, and cannot resume.',
  contenders: [
    { name: 'ternion batch', role: 'ours' },
    { name: 'bare', role: 'limit' },
  ],
  plot: 'rows',
  run: async (bench) => {
    const count = bench.isQuick ? 50_000 : 500_000;
    const input = join(bench.folder, 'flowers.csv');
    const random = createRandom();
    const rows = Array.from({ length: count }, () =>
      [5, 3, 4, 1].map((most) => (0.1 + random() * most).toFixed(1)).join(),
    );
    await writeFile(input, `${[HEADER, ...rows].join('\n')}\n`);
    const output = join(bench.folder, 'species.csv');
    const commands = [
      {
        name: 'ternion batch',
        command: nodeCommand(join(PROJECT, 'dist/cli/index.mjs'), 'batch', 'iris', input, output, '--force'),
      },
      { name: 'bare', command: nodeCommand(join(PROJECT, 'test/bench/limits/batch.ts'), input, output) },
    ];
    for (let round = 0; round < bench.rounds; round++) {
      bench.progress(`round ${round + 1} of ${bench.rounds}`);
      for (const { name, command } of inTurn(commands, round)) {
        const [program, ...args] = command;
        const startMs = performance.now();
        await promisify(execFile)(program, args, { cwd: PROJECT, env: { ...process.env, ...ENVIRONMENT } });
        bench.record(
          `${count.toLocaleString('en-US')} rows`,
          'rows',
          name,
          (count / (performance.now() - startMs)) * 1000,
        );
      }
    }
  },
};
