import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FLOAT, identityModel } from '../../support/build-model.ts';
import type { LoadRequest } from '../load/load.ts';
import { measureUnderLoad } from '../measure-load.ts';
import { runProcess } from '../processes/run-process.ts';
import { postJson } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { benchCommand, serveCommand } from '../servers.ts';

const SHAPE = [1, 3, 224, 224];
const PATH = '/v2/models/same/infer';

export const tensors: Scenario = {
  name: 'tensors',
  title: 'Tensors of 224 x 224 x 3 numbers',
  about:
    'The Open Inference Protocol, with a graph that returns its input: 600 KB as bytes, or 1.7 MB as JSON, each way. The ' +
    'bare server parses and writes the same without checks. The own time is measured inside the process: from the whole ' +
    'body to the run of the graph, and from there to the whole answer.',
  contenders: [
    { name: 'ternion serve', role: 'ours' },
    { name: 'bare', role: 'limit' },
  ],
  plot: 'p50',
  run: async (bench) => {
    const model = join(bench.folder, 'same/1/model.onnx');
    await mkdir(join(bench.folder, 'same/1'), { recursive: true });
    await writeFile(model, identityModel(FLOAT, SHAPE));
    const contenders = [
      { name: 'ternion serve', command: serveCommand(bench.folder), environment: { PRELOAD_MODELS: 'same' } },
      { name: 'bare', command: benchCommand('limits/tensor-server.ts', model) },
    ];
    const [binary, json] = [[binaryRequest()], [jsonRequest()]];
    await measureUnderLoad(bench, contenders, [
      { name: 'binary, 1 connection', connections: 1, requests: binary },
      { name: 'JSON, 1 connection', connections: 1, requests: json },
      ...(bench.isQuick ? [] : [{ name: 'binary, 4 connections', connections: 4, requests: binary }]),
    ]);
    bench.progress('own time of binary tensors');
    const count = bench.isQuick ? 200 : 1_000;
    const args = [bench.folder, String(count), String(bench.rounds)];
    const times = await runProcess<readonly OwnTime[]>('own-time.ts', args);
    for (const { before, after } of times) {
      for (const [condition, { p50, p95, p99 }] of [
        ['own time, body to run', before],
        ['own time, run to answer', after],
      ] as const) {
        bench.record(condition, 'microseconds50', 'ternion serve', p50);
        bench.record(condition, 'microseconds95', 'ternion serve', p95);
        bench.record(condition, 'microseconds99', 'ternion serve', p99);
      }
    }
  },
};

/** In µs. */
interface OwnTime {
  readonly before: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly after: { readonly p50: number; readonly p95: number; readonly p99: number };
}

function makeValues(): Float32Array {
  return Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => Math.fround(Math.sin(index)));
}

/** A tensor as bytes after its description, and the answer in the same form. */
export function binaryRequest(): LoadRequest {
  const values = makeValues();
  const input = {
    name: 'x',
    shape: SHAPE,
    datatype: 'FP32',
    parameters: { binary_data_size: values.byteLength },
  };
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
  return {
    method: 'POST',
    path: PATH,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
    },
    body: Buffer.concat([head, Buffer.from(values.buffer)]),
  };
}

function jsonRequest(): LoadRequest {
  return postJson(PATH, {
    inputs: [{ name: 'x', shape: SHAPE, datatype: 'FP32', data: Array.from(makeValues()) }],
  });
}
