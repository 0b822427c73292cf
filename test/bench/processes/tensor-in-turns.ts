// Answers requests with a binary tensor of 600 KB inside the process, one after the other; says how long one takes.
// Usage, with an IPC channel: tensor-in-turns.ts <project> <repository>; each message is a number of seconds.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestHost } from '../../support/hosts/test-host.ts';

const [project = '', repository = ''] = process.argv.slice(2);
// In earlier commits it is the second one.
const helper = ['test/support/hosts', 'test/hosts']
  .map((folder) => join(project, folder, 'in-process.ts'))
  .find((path) => existsSync(path));
if (!helper) throw new Error(`${project} has no in-process.ts.`);
const { openApp }: { openApp: (environment: Readonly<Record<string, string>>) => TestHost } = await import(
  helper
);

const SHAPE = [1, 3, 224, 224];
const values = Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => Math.sin(index));
const head = Buffer.from(
  JSON.stringify({
    inputs: [
      { name: 'x', shape: SHAPE, datatype: 'FP32', parameters: { binary_data_size: values.byteLength } },
    ],
    parameters: { binary_data_output: true },
  }),
);
const request = {
  method: 'POST',
  path: '/v2/models/same/infer',
  headers: {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(head.length),
  },
  body: Buffer.concat([head, Buffer.from(values.buffer)]),
};
const host = openApp({ MODEL_REPOSITORY: repository, MAX_BODY_BYTES: '2000000', LOG_LEVEL: 'silent' });
const { status, body } = await host.send(request);
if (status !== 200 || body.length < values.byteLength) throw new Error(`answer ${status}: ${body}`);

process.on('message', (seconds: number) => void measure(seconds));
process.send?.('ready');

async function measure(seconds: number): Promise<void> {
  const startMs = performance.now();
  let count = 0;
  while (performance.now() - startMs < seconds * 1000) {
    await host.send(request);
    count++;
  }
  process.send?.((performance.now() - startMs) / count);
}
