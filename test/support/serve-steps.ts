import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createContext, createHost, requestUrl } from '../../functions/host.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { prepareOwnCode } from '../../shared/own-requests.ts';
import type { Processor } from '../../shared/processors/processor.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { PAGES, PROJECT } from './project.ts';
import { makeFolder } from './temporary-folder.ts';

const IRIS = readFileSync(join(PROJECT, 'models/iris/2/model.onnx'));
const CONFIG: object = JSON.parse(readFileSync(join(PROJECT, 'models/iris/2/model.json'), 'utf8'));

export interface Served {
  readonly processors: readonly Processor[];
  readonly named: readonly object[];
  /** The folder of the model; by default that of the iris model. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly config?: object;
}

export interface Sent {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborted when the client leaves. */
  readonly signal?: AbortSignal;
}

export type Ask = (
  path: string,
  body?: object | string | Uint8Array,
  sent?: Sent,
) => Promise<{ readonly status: number; readonly json: ReturnType<typeof JSON.parse> }>;

/** Serves a model `m` with steps; the iris model by default. The host is closed when the test is over. */
export async function serveSteps({
  processors,
  named,
  files = { 'model.onnx': IRIS },
  config = CONFIG,
}: Served) {
  const all = { ...files, 'model.json': JSON.stringify({ ...config, processors: named }) };
  const folder = await makeFolder(
    Object.fromEntries(Object.entries(all).map(([name, content]) => [`m/1/${name}`, content])),
  );
  const lines: Record<string, unknown>[] = [];
  const { log } = console;
  const host = createHost({
    environment: {},
    modelRepository: folder,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    own: processors.length === 0 ? undefined : prepareOwnCode({ processors }),
  });
  onTestFinished(() => host.app.close());
  const ask: Ask = async (path, body, { type = 'application/json', headers: own = {}, signal } = {}) => {
    const bytes =
      body instanceof Uint8Array
        ? body
        : Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));
    const headers = new Headers({ ...own, ...(body !== undefined && { 'content-type': type }) });
    const request = new BytesRequest(
      requestUrl(path),
      { method: body === undefined ? 'GET' : 'POST', headers },
      bytes,
    );
    console.log = (line: string) => lines.push(JSON.parse(line));
    try {
      const response = await host.app.fetch(request, createContext(headers, 'id-1', { signal }));
      return { status: response.status, json: JSON.parse(await response.text()) };
    } finally {
      console.log = log;
    }
  };
  return { ask, lines };
}
