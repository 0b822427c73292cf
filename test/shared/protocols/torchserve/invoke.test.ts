import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../shared/config.ts';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { createLogger } from '../../../../shared/monitoring/logger.ts';
import { createInvocation } from '../../../../shared/protocols/invocation.ts';
import { invoke } from '../../../../shared/protocols/invocations/invoke.ts';
import { TEST_ENVIRONMENT } from '../../../hosts/environment.ts';
import { readRecording } from '../../../hosts/read-recording.ts';
import { makeInference } from '../../inference/make-inference.ts';
import { NO_PAGES } from '../../no-pages.ts';
import { testContext } from '../../test-context.ts';

const sent = readRecording('torchserve');

/** The answer on a route that names no model and that several servers share. */
async function answer(
  call: string,
  environment: Readonly<Record<string, string>> = {},
  body = sent(call).body,
) {
  const config = parseConfig(environment);
  const { inference } = makeInference(TEST_ENVIRONMENT.MODEL_REPOSITORY);
  const headers = new Headers(sent(call).headers);
  const request = new BytesRequest('http://localhost/invocations', { method: 'POST', headers }, body);
  const invocation = createInvocation(request, body, testContext(config.limits), {});
  const logger = createLogger('silent', () => undefined);
  const { response } = await invoke(invocation, { inference, config, version: '0', logger, pages: NO_PAGES });
  return await response.text();
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
