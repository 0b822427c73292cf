import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toNumbers } from '../../../shared/tensor/tensor.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { PROJECT } from '../../support/project.ts';
import { readNpy } from '../../support/read-npy.ts';

/** A request of a real client, and the answer that it understood. */
interface Exchange {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly body_base64?: string;
  readonly status: number;
  readonly type: string;
  readonly answer?: string;
  readonly answer_base64?: string;
}

interface Recording {
  readonly versions: Readonly<Record<string, string>>;
  readonly exchanges: readonly Exchange[];
}

/** Made by the scripts next to them, with the clients themselves. */
const RECORDINGS = ['sagemaker.json', 'mlflow.json'];

const read = (name: string): Recording =>
  JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/clients', name), 'utf8'));
const bytesOf = (text: string | undefined, base64: string | undefined) =>
  text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);

/** An answer without what differs from machine to machine: the last digits of sums, and the id of the request. */
function comparable(type: string, body: Buffer): unknown {
  if (type === 'application/x-npy') {
    const array = readNpy(body, { field: 'answer', elementLimit: 1000 });
    return { shape: array.shape, numbers: Array.from(toNumbers(array), (value) => value.toFixed(3)) };
  }
  return body
    .toString()
    .replace(/"request_id":"[^"]*"/, '')
    .replaceAll(/-?\d+\.\d+(?:e-?\d+)?/g, (number) => Number(number).toFixed(3));
}

let host: TestHost;
beforeAll(() => {
  host = openApp({ DEFAULT_MODEL: 'iris', MAX_JSON_DEPTH: '32' });
});
afterAll(() => host.close());

describe.each(RECORDINGS)('what the clients of %s sent', (name) => {
  it.each(read(name).exchanges)('is answered as they understood it: $title', async (exchange) => {
    const { method, path, headers, status, type } = exchange;
    const body = bytesOf(exchange.body, exchange.body_base64);
    const found = await host.send({ method, path, headers, body });
    expect([found.status, found.headers['content-type']]).toEqual([status, type]);
    expect(comparable(type, found.body)).toEqual(
      comparable(type, bytesOf(exchange.answer, exchange.answer_base64)),
    );
  });
});
