import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../hosts/environment.ts';
import type { TestHost } from '../../hosts/test-host.ts';

/** A request as a client has sent it; test/fixtures/clients/record_clouds.py writes them. */
interface RecordedRequest {
  /** What the client was asked to do. */
  readonly call: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body where it is text. */
  readonly text?: string;
  /** The body where it is not. */
  readonly base64?: string;
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: ReturnType<typeof JSON.parse>;
}

/** Sends everything again that a client has sent. The answers, by what the client was asked to do. */
export async function replay(
  client: string,
  host: TestHost,
): Promise<Readonly<Record<string, RecordedAnswer>>> {
  const file = join(PROJECT, 'test/fixtures/clients', `${client}.json`);
  const { requests }: { requests: RecordedRequest[] } = JSON.parse(readFileSync(file, 'utf8'));
  const answers: Record<string, RecordedAnswer> = {};
  for (const { call, method, path, headers, text = '', base64 = '' } of requests) {
    const body = base64 === '' ? Buffer.from(text) : Buffer.from(base64, 'base64');
    const response = await host.send({ method, path, headers, body });
    answers[call] = {
      status: response.status,
      headers: response.headers,
      json: JSON.parse(response.body.toString()),
    };
  }
  return answers;
}
