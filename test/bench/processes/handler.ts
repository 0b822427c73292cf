// The Lambda handler from the event to its result, with the run of the model left out: handler.ts <events> <rounds>
import { createLambdaHandler } from '../../../functions/aws/handler.ts';
import { createHost } from '../../../functions/host.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import type { NamedTensors } from '../../../shared/runtime/session.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { toEvent } from '../../support/hosts/lambda-events.ts';
import { invocationOf } from '../../support/lambda-invocation.ts';
import { MODELS, PAGES } from '../../support/project.ts';
import { type Latencies, latenciesOf } from '../statistics.ts';

const SOURCES = ['http-api', 'rest-api', 'load-balancer'] as const;

const [count = 0, rounds = 0] = process.argv.slice(2).map(Number);
const host = createHost({
  environment: { ...process.env, PRELOAD_MODELS: 'iris' },
  modelRepository: MODELS,
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
const invocation = invocationOf('b0f3d6ac-6f7f-4f4b-9a56-0a4f3a3e9d11');
const request = {
  method: 'POST',
  path: '/models/iris/predict',
  headers: { 'content-type': 'application/json', accept: '*/*', 'user-agent': 'bench', host: 'example.com' },
  body: Buffer.from('{"features":[5.1,3.5,1.4,0.2]}'),
};
const events = SOURCES.map((source) => ({ source, event: toEvent(source, request) }));

/** In µs. */
async function measure(event: object): Promise<Latencies> {
  const times = new Array<number>(count);
  for (let index = 0; index < count; index++) {
    const startMs = performance.now();
    await handler(event, invocation);
    times[index] = (performance.now() - startMs) * 1000;
  }
  return latenciesOf(times);
}

for (const { event } of events) await measure(event);
const all = [];
for (let round = 0; round < rounds; round++) {
  for (const { source, event } of events) all.push({ source, ...(await measure(event)) });
}
console.log(JSON.stringify(all));
await host.app.close();
