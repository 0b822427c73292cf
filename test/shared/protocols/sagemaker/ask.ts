import { expect } from 'vitest';
import type { TestHost, TestResponse } from '../../../support/hosts/test-host.ts';
import { readNpy } from '../../../support/read-npy.ts';

type Headers = Readonly<Record<string, string>>;

/** Sends a body of any type. */
export async function ask(
  host: TestHost,
  path: string,
  body: string | Uint8Array,
  headers: Headers = {},
): Promise<TestResponse> {
  return await host.send({ method: 'POST', path, headers, body: Buffer.from(body) });
}

/** The JSON of an answer that must have succeeded. */
export async function jsonOf(answer: Promise<TestResponse>): Promise<ReturnType<typeof JSON.parse>> {
  const { status, body, headers } = await answer;
  expect(status, body.toString()).toBe(200);
  expect(headers['content-type']).toBe('application/json');
  return JSON.parse(body.toString());
}

/** The text of an answer that must have succeeded, with its type. */
export async function textOf(answer: Promise<TestResponse>): Promise<readonly [type: string, text: string]> {
  const { status, body, headers } = await answer;
  expect(status, body.toString()).toBe(200);
  return [headers['content-type'] ?? '', body.toString()];
}

/** The array of an answer that must have succeeded. */
export async function arrayOf(answer: Promise<TestResponse>) {
  const { status, body, headers } = await answer;
  expect(status, body.toString()).toBe(200);
  expect(headers['content-type']).toBe('application/x-npy');
  return readNpy(body, { field: 'answer', elementLimit: 1e6 });
}

/** Status and message of an answer that must have failed. */
export async function errorOf(
  answer: Promise<TestResponse>,
): Promise<readonly [status: number, error: string]> {
  const { status, body, headers } = await answer;
  expect(status, body.toString()).toBeGreaterThanOrEqual(400);
  expect(headers['content-type']).toBe('application/json');
  const { error }: { error: string } = JSON.parse(body.toString());
  return [status, error];
}
