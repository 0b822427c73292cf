// Measures the Lambda handler from the event to its result, with the run of the model left out: node test/bench/handler.ts
import { createLambdaHandler } from '../../functions/aws/handler.ts';
import { createHost } from '../../functions/host.ts';
import { openModelFile } from '../../shared/runtime/open-model-file.ts';
import type { NamedTensors } from '../../shared/runtime/session.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { toEvent } from '../support/hosts/lambda-events.ts';
import { PAGES, PROJECT } from '../support/project.ts';

const WARM_UP = 20_000;
const COUNT = 50_000;
const SOURCES = ['http-api', 'rest-api', 'load-balancer'] as const;

const host = createHost({
  environment: { LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent', PRELOAD_MODELS: 'iris' },
  modelRepository: `${PROJECT}/models`,
  pagesFolder: PAGES,
  stores: { file: openFilesystemStore },
  cpus: 1,
  // The first answer of the model is that of every run.
  openSession: async (file, options) => {
    const session = await openModelFile(file, options);
    let answer: NamedTensors | undefined;
    return {
      ...session,
      run: async (feeds, fetches) => {
        answer ??= await session.run(feeds, fetches);
        return answer;
      },
    };
  },
});
await host.app.preload();
const handler = createLambdaHandler(host);
const invocation = {
  awsRequestId: 'b0f3d6ac-6f7f-4f4b-9a56-0a4f3a3e9d11',
  getRemainingTimeInMillis: () => 30_000,
};
const request = {
  method: 'POST',
  path: '/models/iris/predict',
  headers: { 'content-type': 'application/json', accept: '*/*', 'user-agent': 'bench', host: 'example.com' },
  body: Buffer.from('{"features":[5.1,3.5,1.4,0.2]}'),
};

for (const source of SOURCES) {
  const event = toEvent(source, request);
  const times = new Float64Array(COUNT);
  for (let index = -WARM_UP; index < COUNT; index++) {
    const startMs = performance.now();
    await handler(event, invocation);
    if (index >= 0) times[index] = performance.now() - startMs;
  }
  times.sort();
  const at = (part: number) => `${((times[Math.floor(COUNT * part)] ?? 0) * 1000).toFixed(1)} µs`;
  console.log(`${source}: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`);
}
await host.app.close();
