import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureInstalled, folderOf } from '../../real/installation.ts';
import { findFreePort } from '../../support/hosts/child-process.ts';
import { MODELS } from '../../support/project.ts';
import type { ServerContender } from '../measure-load.ts';
import { postJson } from '../requests.ts';
import type { Contender } from '../results.ts';
import type { Bench } from '../scenario.ts';
import { MLSERVER, WEB_SERVERS } from './counterparts.ts';

/** What people use instead: a forest in Flask as in tutorials, a network in FastAPI, and a forest in MLServer. */
export const PEERS: readonly Contender[] = [
  { name: 'Flask', role: 'peer' },
  { name: 'FastAPI, 1 worker', role: 'peer' },
  { name: 'FastAPI, 2 workers', role: 'peer' },
  { name: 'MLServer', role: 'peer' },
];

/** As for all contenders: one thread for each run. */
const THREADS = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };

/**
 * Installs the peers unless they are there, and prepares their model.
 *
 * @throws Error with the output of a command that fails
 */
export async function preparePeers(bench: Bench): Promise<readonly ServerContender[]> {
  for (const counterpart of [WEB_SERVERS, MLSERVER]) {
    bench.progress(`installs ${counterpart.pin}, unless it is installed`);
    await ensureInstalled(counterpart);
  }
  const web = join(folderOf(WEB_SERVERS), 'bin/python');
  const forest = join(bench.folder, 'forest.joblib');
  await promisify(execFile)(web, [join(import.meta.dirname, 'train.py'), forest]);
  const fastApi = (workers: number): ServerContender => ({
    name: workers === 1 ? 'FastAPI, 1 worker' : `FastAPI, ${workers} workers`,
    command: (port) => [
      web,
      ...['-m', 'uvicorn', 'fastapi_server:app', '--log-level', 'warning', '--no-access-log'],
      ...['--port', String(port), '--workers', String(workers)],
    ],
    environment: { ...THREADS, MODEL: join(MODELS, 'iris/2/model.onnx') },
    cwd: import.meta.dirname,
  });
  return [
    {
      name: 'Flask',
      command: (port) => [web, join(import.meta.dirname, 'flask_server.py'), String(port), forest],
      environment: THREADS,
    },
    fastApi(1),
    fastApi(2),
    await prepareMlServer(join(bench.folder, 'mlserver'), forest),
  ];
}

async function prepareMlServer(folder: string, forest: string): Promise<ServerContender> {
  const model = {
    name: 'iris',
    implementation: 'mlserver_sklearn.SKLearnModel',
    parameters: { uri: forest },
  };
  await mkdir(folder);
  await writeFile(join(folder, 'model-settings.json'), JSON.stringify(model));
  const input = { name: 'predict', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
  const outputs = [{ name: 'predict_proba' }];
  return {
    name: 'MLServer',
    command: (port) => [
      'env',
      `MLSERVER_HTTP_PORT=${port}`,
      join(folderOf(MLSERVER), 'bin/mlserver'),
      'start',
      folder,
    ],
    environment: {
      ...THREADS,
      MLSERVER_HOST: '127.0.0.1',
      MLSERVER_GRPC_PORT: String(await findFreePort()),
      MLSERVER_METRICS_PORT: String(await findFreePort()),
      MLSERVER_PARALLEL_WORKERS: '0',
      MLSERVER_DEBUG: 'false',
    },
    requests: [postJson('/v2/models/iris/infer', { inputs: [input], outputs })],
  };
}
