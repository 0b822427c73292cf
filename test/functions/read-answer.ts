import { gunzipSync, inflateSync } from 'node:zlib';
import { expect } from 'vitest';
import { splitElements, tensorFromBytes } from '../../shared/tensor/bytes.ts';
import { type Datatype, isDatatype } from '../../shared/tensor/datatype.ts';
import { elementCount } from '../../shared/tensor/tensor.ts';
import type { Recorded } from '../support/hosts/recorded.ts';
import type { TestResponse } from '../support/hosts/test-host.ts';

/** An answer as the clients read it: the header says whether it is JSON or bytes, and they decompress it themselves. */
export interface Answer {
  readonly response: TestResponse;
  readonly json: ReturnType<typeof JSON.parse>;
  /** The values of each output in lists that are nested as in its shape, from JSON or bytes. */
  readonly tensors: Readonly<Record<string, unknown[]>>;
}

/** Reads an answer, and checks that no byte is left. */
export function readAnswer({ headers, path }: Recorded, response: TestResponse): Answer {
  const coding = response.headers['content-encoding'];
  // A client that did not ask for compression would not decompress the answer.
  if (coding !== undefined) expect(headers['Accept-Encoding']).toContain(coding);
  const body = inflate(response.body, coding);
  const length = response.headers['inference-header-content-length'];
  const json = JSON.parse(body.subarray(0, length === undefined ? undefined : Number(length)).toString());
  let rest = length === undefined ? Buffer.alloc(0) : body.subarray(Number(length));
  const tensors: Record<string, unknown[]> = {};
  for (const { name, datatype, shape, data, parameters } of path.includes('/infer')
    ? (json.outputs ?? [])
    : []) {
    if (!isDatatype(datatype)) throw new Error(`unknown datatype ${datatype}`);
    const size: number | undefined = parameters?.binary_data_size;
    expect(data === undefined).toBe(size !== undefined);
    const values =
      size === undefined ? readData(datatype, data) : readElements(datatype, shape, rest.subarray(0, size));
    expect(values).toHaveLength(elementCount(shape));
    tensors[name] = reshape(values, shape);
    rest = rest.subarray(size ?? 0);
  }
  expect(rest).toHaveLength(0);
  return { response, json, tensors };
}

function reshape(values: unknown[], [size = 1, ...rest]: readonly number[]): unknown[] {
  if (rest.length === 0) return values;
  const width = elementCount(rest);
  return Array.from({ length: size }, (_, row) =>
    reshape(values.slice(row * width, (row + 1) * width), rest),
  );
}

function inflate(body: Buffer, coding: string | undefined): Buffer {
  if (coding === 'gzip') return gunzipSync(body);
  return coding === 'deflate' ? inflateSync(body) : body;
}

/** The clients make arrays of the datatype, which rounds the numbers of JSON. */
function readData(datatype: Datatype, data: unknown[]): unknown[] {
  return datatype === 'FP32' ? data.map((value) => Math.fround(Number(value ?? Number.NaN))) : data;
}

function readElements(datatype: Datatype, shape: readonly number[], bytes: Buffer): unknown[] {
  if (datatype !== 'BYTES') return [...tensorFromBytes(datatype, shape, bytes, 'output').data];
  return splitElements(bytes, elementCount(shape), 'output').map((element) => String(Buffer.from(element)));
}
