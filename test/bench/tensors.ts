// Measures our own time around a run of a 224x224x3 FP32 tensor: node test/bench/tensors.ts

import { createContext } from '../../functions/host.ts';
import { createBudget } from '../../shared/budget.ts';
import { parseConfig } from '../../shared/config.ts';
import { allocateBody } from '../../shared/http/body-memory.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { parseJson } from '../../shared/json/parse-json.ts';
import { createInvocation } from '../../shared/protocols/invocation.ts';
import { readInferRequest } from '../../shared/protocols/open-inference/decode.ts';
import { parseNested } from '../../shared/tensor/nested.ts';
import { contract } from '../support/make-contract.ts';

const COUNT = 3 * 224 * 224;
const values = Float32Array.from({ length: COUNT }, (_, index) => Math.fround(Math.sin(index)));
const { limits } = parseConfig({});
const head = { name: 'image', shape: [1, 3, 224, 224], datatype: 'FP32' };

const binaryHead = Buffer.from(
  JSON.stringify({ inputs: [{ ...head, parameters: { binary_data_size: COUNT * 4 } }] }),
);
const headers = new Headers({ 'inference-header-content-length': String(binaryHead.length) });
const unaligned = Buffer.concat([binaryHead, Buffer.from(values.buffer)]);
const aligned = allocateBody(unaligned.length, headers);
aligned.set(unaligned);
const json = Buffer.from(JSON.stringify({ inputs: [{ ...head, data: Array.from(values) }] }));

const decode = (body: Buffer, given = new Headers()) =>
  readInferRequest(
    createInvocation(
      new BytesRequest('http://localhost/', { method: 'POST', headers: given }, body),
      body,
      { context: createContext(given, ''), budget: createBudget(limits) },
      {},
    ),
  ).value(contract([]));

const [inPlace, copied] = await measure(200, [
  () => decode(aligned, headers),
  () => decode(unaligned, headers),
]);
console.log(`binary tensor where hosts put it: ${show(inPlace)}; anywhere: ${show(copied)}`);
const [ours, plain] = await measure(40, [() => decode(json), () => JSON.parse(json.toString())]);
console.log(
  `JSON tensor: ${show(ours)}; JSON.parse: ${show(plain)}; ` +
    `${ratio(ours, plain, 0.5)} x by the medians, ${ratio(ours, plain, 0)} x by the fastest`,
);

const pixels = Array.from({ length: 224 }, (_, y) =>
  Array.from({ length: 224 }, (_, x) =>
    Array.from(values.subarray((y * 224 + x) * 3, (y * 224 + x + 1) * 3)),
  ),
);
const nested = Buffer.from(JSON.stringify([pixels]));
const [nestedOurs, nestedPlain] = await measure(40, [
  () =>
    parseNested(parseJson(nested, limits.jsonDepth), 'FP32', {
      field: 'instances',
      elementLimit: limits.tensorElements,
    }),
  () => JSON.parse(nested.toString()),
]);
console.log(
  `nested lists of pixels: ${show(nestedOurs)}; JSON.parse: ${show(nestedPlain)}; ` +
    `${ratio(nestedOurs, nestedPlain, 0.5)} x by the medians`,
);

/** Sorted milliseconds per action. They take turns, so that other load on the machine affects them equally. */
async function measure(runs: number, actions: readonly (() => unknown)[]): Promise<number[][]> {
  const times = actions.map((): number[] => []);
  for (let i = 0; i < runs; i++) {
    for (const [index, action] of actions.entries()) {
      const startMs = performance.now();
      await action();
      times[index]?.push(performance.now() - startMs);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b));
}

function at(times: readonly number[] | undefined, part: number): number {
  return times?.[Math.floor(times.length * part)] ?? 0;
}

function show(times: readonly number[] | undefined): string {
  return `${at(times, 0.5).toFixed(3)} ms (fastest ${at(times, 0).toFixed(3)})`;
}

function ratio(a: readonly number[] | undefined, b: readonly number[] | undefined, part: number): string {
  return (at(a, part) / at(b, part)).toFixed(2);
}
