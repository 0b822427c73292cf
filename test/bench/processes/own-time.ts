// Our own time around the run of a binary tensor, on a server in this process: own-time.ts <repository> <requests> <rounds>
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { createHost } from '../../../functions/host.ts';
import { createHttpFunction } from '../../../functions/http-function.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { portOf } from '../../support/port-of.ts';
import { PAGES } from '../../support/project.ts';
import { binaryRequest } from '../scenarios/tensors.ts';
import { ask } from '../servers.ts';
import { latenciesOf } from '../statistics.ts';

const [repository = '', ...numbers] = process.argv.slice(2);
const [count = 0, rounds = 0] = numbers.map(Number);
/** Of the latest request, in ms: when its body was there, when its run began and ended, and when its answer was sent. */
const at = { body: 0, runStart: 0, runEnd: 0, answer: 0 };

const host = createHost({
  environment: process.env,
  modelRepository: repository,
  pagesFolder: PAGES,
  stores: { file: openFilesystemStore },
  cpus: 1,
  openSession: async (file, options) => {
    const session = await openModelFile(file, options);
    return {
      ...session,
      run: async (feeds, fetches) => {
        at.runStart = performance.now();
        const results = await session.run(feeds, fetches);
        at.runEnd = performance.now();
        return results;
      },
    };
  },
});
const respond = createHttpFunction(host);

const server = createServer((incoming, outgoing) => {
  const push = incoming.push.bind(incoming);
  // Node's parser pushes null after the last byte.
  incoming.push = (chunk: unknown) => {
    if (chunk === null) at.body = performance.now();
    return push(chunk);
  };
  const end = outgoing.end.bind(outgoing);
  outgoing.end = (...args: unknown[]) => {
    at.answer = performance.now();
    return Reflect.apply(end, outgoing, args);
  };
  respond(incoming, outgoing).catch((error: unknown) => outgoing.destroy(Object(error)));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const agent = new Agent({ keepAlive: true });
const request = binaryRequest();

/** @returns microseconds before and after the run */
async function send(): Promise<{ readonly before: number; readonly after: number }> {
  const { status, body } = await ask(portOf(server), request, agent);
  if (status !== 200 || body.length < 600_000) throw new Error(`the status is ${status}`);
  return { before: (at.runStart - at.body) * 1000, after: (at.answer - at.runEnd) * 1000 };
}

for (let index = 0; index < count; index++) await send();
const all = [];
for (let round = 0; round < rounds; round++) {
  const times: { readonly before: number; readonly after: number }[] = [];
  for (let index = 0; index < count; index++) times.push(await send());
  all.push({
    before: latenciesOf(times.map(({ before }) => before)),
    after: latenciesOf(times.map(({ after }) => after)),
  });
}
console.log(JSON.stringify(all));
agent.destroy();
server.close();
await host.app.close();
