import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ort from 'onnxruntime-node';
import { PROJECT } from '../../support/project.ts';
import { startS3Server } from '../../support/s3-server.ts';
import type { LoadRequest } from '../load/load.ts';
import type { ServerContender } from '../measure-load.ts';
import { writeResnet50 } from '../models/resnet50.ts';
import { get, postJson } from '../requests.ts';
import { type Bench, inTurn, type Scenario } from '../scenario.ts';
import { ask, benchCommand, nodeCommand, serveCommand, startServer } from '../servers.ts';

const FROM_FOLDER = 'from a folder';
const FROM_S3 = 'from S3';

export const load: Scenario = {
  name: 'load',
  title: 'A model of 102 MB: from the request to its first result',
  about:
    'The server has just started and has no model loaded. The first request makes it load a graph of the size of ResNet50 ' +
    'and run it once. The best portable form is the graph as ONNX Runtime simplifies it for any processor, with its weights ' +
    'in a second file. From S3 means the S3 server of the tests on loopback, with an empty cache and the version that ' +
    '`ternion add` publishes, whose sha256 is checked; the limit has the bytes in memory, writes them to a file and loads that.',
  contenders: [
    { name: 'Ternion, as exported', role: 'ours' },
    { name: 'Ternion, --optimize', role: 'ours' },
    { name: 'bare, as exported', role: 'limit' },
    { name: 'bare, best portable form', role: 'limit' },
    { name: 'disk write + session', role: 'limit' },
  ],
  plot: 'firstResult',
  run: async (bench) => {
    bench.progress('makes the graph in three forms');
    const plain = join(bench.folder, 'plain');
    const path = await writeResnet50(plain);
    const optimized = await publish(bench.folder, 'optimized', path, '--optimize');
    const published = await publish(bench.folder, 'published', path);
    const portable = await writePortable(bench.folder, path);
    const s3 = await startS3Server({ folder: published });
    bench.defer(() => s3.close());
    const s3Environment = {
      AWS_ENDPOINT_URL: s3.url,
      AWS_REGION: s3.client.region,
      AWS_ACCESS_KEY_ID: s3.client.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.client.credentials.secretAccessKey,
    };
    const conditions: Readonly<Record<string, readonly ServerContender[]>> = {
      [FROM_FOLDER]: [
        { name: 'Ternion, as exported', command: serveCommand(plain) },
        { name: 'Ternion, --optimize', command: serveCommand(optimized) },
        { name: 'bare, as exported', command: benchCommand('limits/load-server.ts', 'path', path) },
        {
          name: 'bare, best portable form',
          command: benchCommand('limits/load-server.ts', 'simplified', portable),
        },
      ],
      [FROM_S3]: [
        {
          name: 'Ternion, as exported',
          command: serveCommand('s3://models'),
          environment: s3Environment,
        },
        { name: 'disk write + session', command: benchCommand('limits/load-server.ts', 'bytes', path) },
      ],
    };
    for (let round = 0; round < bench.rounds; round++) {
      for (const [condition, contenders] of Object.entries(conditions)) {
        bench.progress(`${condition}, round ${round + 1} of ${bench.rounds}`);
        for (const contender of inTurn(contenders, round)) {
          const cache = join(bench.folder, `cache-${round}`);
          await measureLoad(bench, condition, {
            ...contender,
            environment: { ...contender.environment, MODEL_CACHE_FOLDER: cache },
          });
        }
      }
    }
  },
};

async function measureLoad(bench: Bench, condition: string, contender: ServerContender): Promise<void> {
  await mkdir(contender.environment?.MODEL_CACHE_FOLDER ?? '', { recursive: true });
  const server = await startServer(contender, get('/health'));
  const agent = new Agent({ keepAlive: true });
  try {
    const { status, ms, body } = await ask(server.port, ZEROS, agent);
    if (status !== 200) throw new Error(`${contender.name} answered ${status}: ${body}`);
    bench.record(condition, 'firstResult', contender.name, ms);
    bench.record(condition, 'pss', contender.name, server.usage().pssMegabytes);
  } finally {
    agent.destroy();
    await server.stop();
  }
}

/** A black image as a tensor. */
const ZEROS: LoadRequest = (() => {
  const values = new Float32Array(3 * 224 * 224);
  const input = {
    name: 'image',
    shape: [1, 3, 224, 224],
    datatype: 'FP32',
    parameters: { binary_data_size: values.byteLength },
  };
  const { body, ...request } = postJson('/v2/models/resnet50/infer', { inputs: [input] });
  return {
    ...request,
    headers: { 'inference-header-content-length': String(body.length) },
    body: Buffer.concat([body, Buffer.from(values.buffer)]),
  };
})();

/** @returns the repository */
async function publish(
  folder: string,
  name: string,
  path: string,
  ...options: readonly string[]
): Promise<string> {
  const repository = join(folder, name);
  const command = join(PROJECT, 'dist/cli/index.mjs');
  const args = ['add', join(path, '..'), '--name', 'resnet50', '--repository', repository, ...options];
  const [program, ...rest] = nodeCommand(command, ...args);
  await promisify(execFile)(program, rest, { cwd: PROJECT });
  return repository;
}

/** @returns the path of the graph */
async function writePortable(folder: string, path: string): Promise<string> {
  const portable = join(folder, 'portable');
  await mkdir(portable);
  const optimizedModelFilePath = join(portable, 'model.onnx');
  const session = await ort.InferenceSession.create(path, {
    graphOptimizationLevel: 'extended',
    optimizedModelFilePath,
    logSeverityLevel: 4,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: 'weights.bin',
        optimized_model_external_initializers_min_size_in_bytes: '1024',
      },
    },
  });
  await session.release();
  return optimizedModelFilePath;
}
