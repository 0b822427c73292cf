import { join } from 'node:path';
import { METRICS_NAMES } from '../../../shared/config.ts';
import { measureUnderLoad } from '../measure-load.ts';
import { FLOWER } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { benchCommand, serveCommand } from '../servers.ts';
import { connectionsOf } from './iris.ts';

export const log: Scenario = {
  name: 'log',
  title: 'A log line for each request, and metrics',
  about:
    '`ternion serve` writes its log to a file, at the level `info`, and keeps metrics under its own names or those of seven ' +
    'servers. The limits are the same server without metrics, the same with a silent log, and the hand-written server with ' +
    'its log line.',
  contenders: [
    { name: 'info', role: 'ours' },
    { name: 'info, seven names', role: 'ours' },
    { name: 'info, no metrics', role: 'limit' },
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
        {
          ...silent,
          name: 'info, seven names',
          environment: { ...environment, METRICS: METRICS_NAMES.join() },
          logFile: join(bench.folder, 'seven-names.log'),
        },
        {
          ...silent,
          name: 'info, no metrics',
          environment: { ...environment, METRICS: 'none' },
          logFile: join(bench.folder, 'no-metrics.log'),
        },
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
