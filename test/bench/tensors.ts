// Measures our own time around a run of a 224x224x3 FP32 tensor: node test/bench/tensors.ts

import { parseConfig } from '../../shared/config.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { parseJson } from '../../shared/json/parse-json.ts';
import { decodeInferRequest } from '../../shared/protocols/oip/decode-request.ts';
import { parseNested } from '../../shared/tensor/nested.ts';

const COUNT = 3 * 224 * 224;
const values = Float32Array.from({ length: COUNT }, (_, index) => Math.fround(Math.sin(index)));
const { limits } = parseConfig({});
const none = () => Promise.resolve([]);
const head = { name: 'image', shape: [1, 3, 224, 224], datatype: 'FP32' };

const binaryHead = Buffer.from(
  JSON.stringify({ inputs: [{ ...head, parameters: { binary_data_size: COUNT * 4 } }] }),
);
const binary = Buffer.concat([binaryHead, Buffer.from(values.buffer)]);
const json = Buffer.from(JSON.stringify({ inputs: [{ ...head, data: Array.from(values) }] }));

const decode = (body: Buffer, headers: Record<string, string>) =>
  decodeInferRequest(
    new BytesRequest('http://localhost/', { method: 'POST', headers: new Headers(headers) }, body),
    limits,
    none,
  );

const binaryMs = await medianMs(200, () =>
  decode(binary, { 'inference-header-content-length': String(binaryHead.length) }),
);
const [jsonMs, parseMs] = [
  await medianMs(15, () => decode(json, {})),
  await medianMs(15, () => JSON.parse(json.toString())),
];
console.log(`binary tensor: ${binaryMs.toFixed(3)} ms`);
console.log(
  `JSON tensor: ${jsonMs.toFixed(1)} ms, ${(jsonMs / parseMs).toFixed(2)} x JSON.parse (${parseMs.toFixed(1)} ms)`,
);

const pixels = Array.from({ length: 224 }, (_, y) =>
  Array.from({ length: 224 }, (_, x) =>
    Array.from(values.subarray((y * 224 + x) * 3, (y * 224 + x + 1) * 3)),
  ),
);
const nested = Buffer.from(JSON.stringify([pixels]));
const nestedMs = await medianMs(15, () =>
  parseNested(parseJson(nested, limits.jsonDepth), 'FP32', {
    field: 'instances',
    elementLimit: limits.tensorElements,
  }),
);
const nestedParseMs = await medianMs(15, () => JSON.parse(nested.toString()));
console.log(
  `nested lists of pixels: ${nestedMs.toFixed(1)} ms, ${(nestedMs / nestedParseMs).toFixed(2)} x JSON.parse (${nestedParseMs.toFixed(1)} ms)`,
);

async function medianMs(runs: number, action: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const startMs = performance.now();
    await action();
    times.push(performance.now() - startMs);
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}
