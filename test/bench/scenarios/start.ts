import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OWN_RUNTIME } from '../../support/hosts/lambda-bundle.ts';
import { toEvent } from '../../support/hosts/lambda-events.ts';
import { openLambdaEnvironment } from '../../support/lambda-environment.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { usageOf } from '../process-usage.ts';
import { FLOWER } from '../requests.ts';
import { inTurn, type Scenario } from '../scenario.ts';
import {
  benchCommand,
  ENVIRONMENT,
  frameworkCommand,
  nodeCommand,
  type ServerCommand,
  serveCommand,
  startServer,
} from '../servers.ts';

export const start: Scenario = {
  name: 'start',
  title: 'Start to first answer',
  about:
    'From the start of a new process to its first answer for a flower, with the files in the cache of the system. Each ' +
    'server is compared with the bare server, and the AWS bundle with a bare handler in the same stand-in for Lambda. ' +
    'Azure has a stand-in for its worker. Evaluated JavaScript is that of the files of the bundle, up to the first answer.',
  contenders: [
    { name: 'Ternion', role: 'ours' },
    { name: 'bare', role: 'limit' },
  ],
  plot: 'start',
  run: async (bench) => {
    const bare = startsServer(benchCommand('bare-server.ts'));
    const own = (command: ServerCommand['command']) => startsServer(command);
    const lambda = await makeBareHandler(bench.folder);
    const pairs: Readonly<Record<string, readonly [ours: Start, limit: Start]>> = {
      'AWS Lambda': [startsLambda(join(PROJECT, 'dist', `aws-${process.arch}`)), startsLambda(lambda)],
      'Google Cloud': [own(frameworkCommand('gcp')), bare],
      'Google Cloud, own server': [own(serverBundleCommand()), bare],
      Azure: [own(azureCommand()), bare],
      'ternion serve': [own(serveCommand()), bare],
      'npm start': [own(localCommand()), bare],
    };
    for (let round = 0; round < bench.rounds; round++) {
      bench.progress(`round ${round + 1} of ${bench.rounds}`);
      for (const [condition, [ours, limit]] of Object.entries(pairs)) {
        const contenders = [
          ['Ternion', ours],
          ['bare', limit],
        ] as const;
        for (const [name, begin] of inTurn(contenders, round)) {
          const { ms, pssMegabytes } = await begin();
          bench.record(condition, 'start', name, ms);
          bench.record(condition, 'pss', name, pssMegabytes);
        }
      }
    }
    for (const [condition, [ours]] of Object.entries(pairs)) {
      bench.record(condition, 'evaluated', 'Ternion', await countEvaluated(bench.folder, ours));
    }
  },
};

type Start = (
  environment?: Readonly<Record<string, string>>,
) => Promise<{ readonly ms: number; readonly pssMegabytes: number }>;

/** @returns kilobytes */
async function countEvaluated(folder: string, begin: Start): Promise<number> {
  const file = join(folder, 'evaluated.txt');
  const hook = pathToFileURL(join(import.meta.dirname, '../processes/count-evaluated.ts')).href;
  await writeFile(file, '');
  await begin({ NODE_OPTIONS: `--import=${hook}`, EVALUATED_FILE: file });
  const lines = (await readFile(file, 'utf8')).split('\n');
  const bundled = lines.filter((line) => line.includes(` ${join(PROJECT, 'dist')}`));
  return bundled.reduce((sum, line) => sum + Number.parseInt(line, 10), 0) / 1000;
}

function startsServer(command: ServerCommand['command']): Start {
  return async (environment = {}) => {
    const server = await startServer(
      { command, environment: { PRELOAD_MODELS: 'iris', ...environment } },
      FLOWER,
    );
    const { pssMegabytes } = server.usage();
    await server.stop();
    return { ms: server.firstAnswerMs, pssMegabytes };
  };
}

function localCommand(): ServerCommand['command'] {
  return (port) => nodeCommand(join(PROJECT, 'dist/local/index.mjs'), `--port=${port}`);
}

/** The port is a variable, as on Cloud Run. */
function serverBundleCommand(): ServerCommand['command'] {
  return (port) => ['env', `PORT=${port}`, ...nodeCommand(join(PROJECT, 'dist/gcp-server/index.mjs'))];
}

function azureCommand(): ServerCommand['command'] {
  const script = join(PROJECT, 'test/support/hosts/azure-process.ts');
  return (port) => nodeCommand(script, join(PROJECT, 'dist/azure'), String(port));
}

function startsLambda(folder: string): Start {
  return async (environment = {}) => {
    const startMs = performance.now();
    const lambda = await openLambdaEnvironment({
      folder,
      runtime: OWN_RUNTIME,
      environment: { ...ENVIRONMENT, PRELOAD_MODELS: 'iris', MODEL_REPOSITORY: MODELS, ...environment },
    });
    const { isError, payload } = await lambda.invoke(toEvent('http-api', FLOWER));
    const ms = performance.now() - startMs;
    const { pid } = lambda.process;
    if (isError || pid === undefined) throw new Error(`the function failed: ${payload}${lambda.output()}`);
    const { pssMegabytes } = usageOf(pid);
    await lambda.shutdown();
    return { ms, pssMegabytes };
  };
}

/** The least that answers an event with a run of the iris model. */
async function makeBareHandler(parent: string): Promise<string> {
  const folder = join(parent, 'bare');
  const runtime = pathToFileURL(createRequire(import.meta.url).resolve('onnxruntime-node')).href;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'index.mjs'),
    `import ort from ${JSON.stringify(runtime)};
const session = await ort.InferenceSession.create(${JSON.stringify(join(MODELS, 'iris/2/model.onnx'))}, { intraOpNumThreads: 1 });
export async function handler({ body, isBase64Encoded }) {
  const { features } = JSON.parse(isBase64Encoded ? Buffer.from(body, 'base64').toString() : body);
  const { logits } = await session.run({ features: new ort.Tensor('float32', Float32Array.from(features), [1, 4]) });
  return { statusCode: 200, body: JSON.stringify({ logits: Array.from(logits.data) }) };
}
`,
  );
  return folder;
}
