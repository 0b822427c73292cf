import { measureUnderLoad } from '../measure-load.ts';
import { writeMiniLm } from '../models/mini-lm.ts';
import { postJson } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { benchCommand, serveCommand } from '../servers.ts';

const TEXT =
  'This film was not as good as the other, but in the end I liked it a lot and I am sure to see it again.';

export const texts: Scenario = {
  name: 'texts',
  title: 'Vectors of texts from a graph of the size of MiniLM',
  about:
    'Each request has a sentence, which becomes a vector of 384 numbers: tokens, run, mean of all tokens, length 1. The bare ' +
    'server uses `@huggingface/tokenizers` and checks nothing.',
  contenders: [
    { name: 'ternion serve', role: 'ours' },
    { name: 'bare', role: 'limit' },
  ],
  plot: 'p50',
  run: async (bench) => {
    bench.progress('makes the graph');
    const folder = await writeMiniLm(bench.folder);
    const requests = [postJson('/models/mini-lm/predict', { text: TEXT })];
    await measureUnderLoad(
      bench,
      [
        { name: 'ternion serve', command: serveCommand(bench.folder), environment: { PRELOAD_MODELS: '*' } },
        { name: 'bare', command: benchCommand('limits/text-server.ts', folder) },
      ],
      [
        { name: '1 connection', connections: 1, requests },
        ...(bench.isQuick ? [] : [{ name: '4 connections', connections: 4, requests }]),
      ],
    );
  },
};
