import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, requestUrl } from '../../../../functions/host.ts';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { createTestHost } from '../../../support/hosts/in-process.ts';
import { readRecording } from '../../../support/hosts/read-recording.ts';

const sent = readRecording('torchserve');

/** The answer on a route that names no model and that several servers share. */
async function answer(
  call: string,
  environment: Readonly<Record<string, string>> = {},
  body = sent(call).body,
) {
  const { app } = createTestHost(environment);
  onTestFinished(() => app.close());
  const headers = new Headers(sent(call).headers);
  const request = new BytesRequest(requestUrl('/invocations'), { method: 'POST', headers }, body);
  return await (await app.fetch(request, createContext(headers, 'id'))).text();
}

describe('a request of TorchServe on a shared route', () => {
  it('is known by its JSON, and finds the model that takes it', async () => {
    expect(await answer('requests, json')).toMatch(/^\{"7":0.79/);
    expect(await answer('requests, json', {}, Buffer.from('{"data":[5.1,3.5,1.4,0.2]}'))).toBe('["setosa"]');
  });

  it.each(['curl -T', 'requests, files', 'requests, a form'])(
    'is taken as such by setting: %s',
    async (call) => {
      expect(await answer(call, { DIALECT: 'torchserve' })).toMatch(/^\{"7":0.79/);
    },
  );

  it('may bring features of any form by setting', async () => {
    expect(await answer('requests, rows', { DIALECT: 'torchserve' })).toBe('["setosa","virginica"]');
  });
});
