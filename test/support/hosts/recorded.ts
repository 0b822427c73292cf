import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { PROJECT } from '../project.ts';
import { readResponse, type TestResponse } from './test-host.ts';

/** A request as a client has sent it; the scripts in test/fixtures/clients write them. */
export interface Recorded {
  /** What the client was asked to do. */
  readonly call: string;
  readonly method: string;
  readonly path: string;
  /** In the order and case that the client used. */
  readonly headers: Readonly<Record<string, string>>;
  /** The part of the body that is text. */
  readonly text?: string;
  /** The bytes after it. */
  readonly base64?: string;
}

/** What a client of `test/fixtures/clients` has sent. */
export function readRecorded(client: string): readonly Recorded[] {
  const file = join(PROJECT, 'test/fixtures/clients', `${client}.json`);
  const { requests }: { requests: Recorded[] } = JSON.parse(readFileSync(file, 'utf8'));
  return requests;
}

/** Its body, byte for byte. */
export function bodyOf({ text = '', base64 = '' }: Recorded): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.from(base64, 'base64')]);
}

/** Sends the same bytes again: Node adds no header but Connection. */
export function sendRecorded(port: number, recorded: Recorded): Promise<TestResponse> {
  const { method, path, headers } = recorded;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, method, path, headers: Object.entries(headers).flat(), agent: false },
      (incoming) => readResponse(incoming).then(resolve, reject),
    );
    outgoing.on('error', reject);
    outgoing.end(bodyOf(recorded));
  });
}
