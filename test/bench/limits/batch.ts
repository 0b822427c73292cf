// The least that runs the iris model for each row of a CSV file: no checks, 1,024 rows in one run, three probabilities.
// Usage: batch.ts <input.csv> <output.csv>

import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import ort from 'onnxruntime-node';
import { MODELS } from '../../support/project.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const BATCH = 1024;
const LABELS = ['setosa', 'versicolor', 'virginica'];
const [input = '', output = ''] = process.argv.slice(2);
const session = await ort.InferenceSession.create(join(MODELS, 'iris/2/model.onnx'), {
  intraOpNumThreads: 1,
});
const results = createWriteStream(output);
let values: number[] = [];
let row = 0;
let isHeader = true;

async function run(): Promise<void> {
  const rows = values.length / 4;
  const { logits } = await session.run({
    features: new ort.Tensor('float32', Float32Array.from(values), [rows, 4]),
  });
  const { data } = Object(logits);
  let text = '';
  for (let at = 0; at < rows; at++) {
    const powers = [0, 1, 2].map((index) => Math.exp(data[at * 3 + index]));
    const total = powers.reduce((sum, power) => sum + power, 0);
    const best = powers.indexOf(Math.max(...powers));
    row++;
    text += `${row},${LABELS[best]},${(powers[best] ?? 0) / total},${powers.map((power) => power / total).join()},\n`;
  }
  values = [];
  if (!results.write(text)) await once(results, 'drain');
}

results.write(
  'row,prediction,confidence,probability_setosa,probability_versicolor,probability_virginica,error\n',
);
for await (const line of createInterface({ input: createReadStream(input) })) {
  if (isHeader) {
    isHeader = false;
    continue;
  }
  for (const cell of line.split(',')) values.push(Number(cell));
  if (values.length === BATCH * 4) await run();
}
if (values.length > 0) await run();
results.end();
await finished(results);
