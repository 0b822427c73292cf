import { measureUnderLoad } from '../measure-load.ts';
import { PEERS, preparePeers } from '../peers/peers.ts';
import { FLOWER } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { benchCommand, frameworkCommand, serveCommand } from '../servers.ts';

const PRELOAD = { PRELOAD_MODELS: 'iris' };

export const iris: Scenario = {
  name: 'iris',
  title: 'Iris: JSON in, JSON out',
  about:
    'Each request has the four measurements of a flower. The bare server is `node:http` with ONNX Runtime and checks ' +
    'nothing. The hand-written server checks its input, and writes the same answer, headers and log line as Ternion.',
  contenders: [
    { name: 'ternion serve', role: 'ours' },
    { name: 'functions framework', role: 'ours' },
    { name: 'bare', role: 'limit' },
    { name: 'hand-written', role: 'limit' },
    ...PEERS,
  ],
  plot: 'rate',
  run: async (bench) => {
    const contenders = [
      { name: 'ternion serve', command: serveCommand(), environment: PRELOAD },
      { name: 'functions framework', command: frameworkCommand('gcp'), environment: PRELOAD },
      { name: 'bare', command: benchCommand('bare-server.ts') },
      { name: 'hand-written', command: benchCommand('hand-written-server.ts') },
      ...(bench.hasPeers ? await preparePeers(bench) : []),
    ];
    const counts = bench.isQuick ? [1, 16] : [1, 4, 16, 64];
    await measureUnderLoad(
      bench,
      contenders,
      counts.map((connections) => ({ name: connectionsOf(connections), connections, requests: [FLOWER] })),
    );
  },
};

/** The name of a condition. */
export function connectionsOf(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`;
}
