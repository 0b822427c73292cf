import { join } from 'node:path';
import { measureUnderLoad } from '../measure-load.ts';
import { FLOWER } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { benchCommand, serveCommand } from '../servers.ts';
import { connectionsOf } from './iris.ts';

export const log: Scenario = {
  name: 'log',
  title: 'A log line for each request',
  about:
    '`ternion serve` writes its log to a file, at the level `info`. The limits are the same server with a silent log, and ' +
    'the hand-written server with its log line.',
  contenders: [
    { name: 'info', role: 'ours' },
    { name: 'silent', role: 'limit' },
    { name: 'hand-written, info', role: 'limit' },
  ],
  plot: 'rate',
  run: async (bench) => {
    const silent = { command: serveCommand(), environment: { PRELOAD_MODELS: 'iris' } };
    const environment = { PRELOAD_MODELS: 'iris', LOG_LEVEL: 'info' };
    await measureUnderLoad(
      bench,
      [
        { ...silent, name: 'info', environment, logFile: join(bench.folder, 'ternion.log') },
        { ...silent, name: 'silent' },
        {
          name: 'hand-written, info',
          command: benchCommand('hand-written-server.ts'),
          environment,
          logFile: join(bench.folder, 'hand-written.log'),
        },
      ],
      [{ name: connectionsOf(16), connections: 16, requests: [FLOWER] }],
    );
  },
};
