import type { TestHost, TestRequest, TestResponse } from './hosts/test-host.ts';

export interface Answer {
  readonly status: number;
  readonly headers: TestResponse['headers'];
  readonly text: string;
  readonly json: ReturnType<typeof JSON.parse>;
}

/** Sends a request and reads the JSON of its answer. */
export async function ask(host: TestHost, request: TestRequest): Promise<Answer> {
  const { status, headers, body } = await host.send(request);
  const text = body.toString();
  return { status, headers, text, json: text === '' ? undefined : JSON.parse(text) };
}
