import { runProcess } from '../processes/run-process.ts';
import type { Scenario } from '../scenario.ts';
import type { Latencies } from '../statistics.ts';

const NAME = 'Lambda handler';

export const handler: Scenario = {
  name: 'handler',
  title: 'The Lambda handler',
  about:
    'From the event to its result, in one process, with a model whose run takes no time: our own share of a small request. ' +
    'Each kind of event carries a flower for the iris model.',
  contenders: [{ name: NAME, role: 'ours' }],
  plot: 'microseconds50',
  run: async (bench) => {
    const count = bench.isQuick ? 10_000 : 50_000;
    const times = await runProcess<readonly (Latencies & { readonly source: string })[]>('handler.ts', [
      String(count),
      String(bench.rounds),
    ]);
    for (const { source, p50, p95, p99 } of times) {
      bench.record(source, 'microseconds50', NAME, p50);
      bench.record(source, 'microseconds95', NAME, p95);
      bench.record(source, 'microseconds99', NAME, p99);
    }
  },
};
