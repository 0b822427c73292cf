import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODELS, PROJECT } from '../../support/project.ts';
import type { LoadRequest } from '../load/load.ts';
import { measureUnderLoad } from '../measure-load.ts';
import { FLOWER, get, postJson } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { frameworkCommand, serveCommand } from '../servers.ts';
import { connectionsOf } from './iris.ts';

export const mixed: Scenario = {
  name: 'mixed',
  title: 'Mixed requests',
  about:
    'Each connection sends, in turns: a flower, a picture of a digit as a file and in base64, a batch of 50 flowers for ' +
    'the forest, a tensor by the Open Inference Protocol, a request with a mistake, the list of models, and `/health`.',
  contenders: [
    { name: 'ternion serve', role: 'ours' },
    { name: 'functions framework', role: 'ours' },
  ],
  plot: 'rate',
  run: async (bench) => {
    const environment = { PRELOAD_MODELS: '*' };
    await measureUnderLoad(
      bench,
      [
        { name: 'ternion serve', command: serveCommand(MODELS), environment },
        { name: 'functions framework', command: frameworkCommand('gcp'), environment },
      ],
      [{ name: connectionsOf(16), connections: 16, requests: mixedRequests(), mistakes: 1 }],
    );
  },
};

/** What different clients send. One of them makes a mistake, which is answered with 400. */
export function mixedRequests(): readonly LoadRequest[] {
  const file = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
  const row = [5.1, 3.5, 1.4, 0.2];
  const input = { name: 'features', shape: [1, 4], datatype: 'FP32', data: row };
  return [
    FLOWER,
    { method: 'POST', path: '/models/digits/predict', headers: { 'content-type': 'image/png' }, body: file },
    postJson('/models/digits/predict', { image: file.toString('base64') }),
    postJson('/models/iris/versions/1/predict', { instances: Array.from({ length: 50 }, () => row) }),
    postJson('/v2/models/iris/infer', { inputs: [input] }),
    postJson('/models/iris/predict', { features: [5.1, '3.5', 1.4, 0.2] }),
    get('/models'),
    get('/health'),
  ];
}
