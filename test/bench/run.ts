// Measures the built server side by side with the smallest possible server: npm run bench
import { join } from 'node:path';
import { PROJECT } from '../support/project.ts';
import { frameworkCommand, median, startMeasured } from './measured-server.ts';

/** One of each for every round. */
interface Figures {
  readonly firstAnswerMs: number[];
  readonly perSecond: number[];
}

const ROUNDS = 5;
const SECONDS = 2;
const WARM_UP_SECONDS = 0.5;
const CONNECTIONS = 4;

const contenders = [
  { name: 'Ternion in the functions framework', command: frameworkCommand(PROJECT, 'local') },
  {
    name: 'bare node:http + onnxruntime',
    command: (port: number) => [join(PROJECT, 'test/bench/bare-server.ts'), String(port)],
  },
];

const results = contenders.map((): Figures => ({ firstAnswerMs: [], perSecond: [] }));
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, { command }] of contenders.entries()) {
    const server = await startMeasured(command, PROJECT);
    results[index]?.firstAnswerMs.push(server.firstAnswerMs);
    await server.load(CONNECTIONS, WARM_UP_SECONDS);
    results[index]?.perSecond.push(await server.load(CONNECTIONS, SECONDS));
    await server.stop();
  }
}
for (const [index, { name }] of contenders.entries()) {
  const { firstAnswerMs = [], perSecond = [] } = results[index] ?? {};
  console.log(
    `${name}: first answer ${median(firstAnswerMs).toFixed(0)} ms after start, ${median(perSecond).toFixed(0)} requests/s`,
  );
}
const [ours, bare] = results;
if (ours && bare) {
  console.log(
    `ratio: ${(median(ours.firstAnswerMs) / median(bare.firstAnswerMs)).toFixed(2)} x the time to the first answer, ${(median(ours.perSecond) / median(bare.perSecond)).toFixed(2)} x the requests`,
  );
}
