import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openApp } from './hosts/in-process.ts';
import type { TestHost, TestResponse } from './hosts/test-host.ts';

/** The app over models made of bytes, `<name>/1` each, with the model.json that `configs` has for them. */
export async function serveModels(
  models: Readonly<Record<string, Uint8Array>>,
  environment: Readonly<Record<string, string>> = {},
  configs: Readonly<Record<string, object>> = {},
): Promise<TestHost> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-open-inference-'));
  for (const [name, model] of Object.entries(models)) {
    await mkdir(join(folder, name, '1'), { recursive: true });
    await writeFile(join(folder, name, '1/model.onnx'), model);
  }
  for (const [name, config] of Object.entries(configs)) {
    await writeFile(join(folder, name, '1/model.json'), JSON.stringify(config));
  }
  const host = openApp({
    MODEL_REPOSITORY: folder,
    MAX_JSON_DEPTH: '32',
    MAX_BODY_BYTES: '2000000',
    ...environment,
  });
  onTestFinished(async () => {
    await host.close();
    await rm(folder, { recursive: true });
  });
  return host;
}

/** Sends an inference request: JSON, with bytes after it when there are some. */
export async function infer(
  host: TestHost,
  model: string,
  json: unknown,
  tail: Uint8Array = new Uint8Array(0),
  headers: Readonly<Record<string, string>> = {},
): Promise<TestResponse> {
  const head = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const framing: Record<string, string> =
    tail.length > 0 ? { 'inference-header-content-length': String(head.length) } : {};
  return await host.send({
    method: 'POST',
    path: `/v2/models/${model}/infer`,
    headers: { ...framing, ...headers },
    body: Buffer.concat([head, tail]),
  });
}

/** The JSON of an answer and the bytes after it. */
export function split(response: TestResponse): {
  json: ReturnType<typeof JSON.parse>;
  tail: Buffer;
  text: string;
} {
  const length = Number(response.headers['inference-header-content-length'] ?? response.body.length);
  const text = response.body.subarray(0, length).toString();
  return { json: JSON.parse(text), tail: response.body.subarray(length), text };
}
