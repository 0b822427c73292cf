import { bodyOf, readRecorded } from './hosts/recorded.ts';
import type { TestHost } from './hosts/test-host.ts';

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
  const answers: Record<string, RecordedAnswer> = {};
  for (const recorded of readRecorded(client)) {
    const { call, method, path, headers } = recorded;
    const response = await host.send({ method, path, headers, body: bodyOf(recorded) });
    answers[call] = {
      status: response.status,
      headers: response.headers,
      json: JSON.parse(response.body.toString()),
    };
  }
  return answers;
}
