import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLambdaHandler } from '../../../functions/aws/handler.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';
import { invocationOf } from '../../support/lambda-invocation.ts';

describe('an event with a header that is not valid in HTTP', () => {
  it('is answered like any mistake, and reported in the log', async () => {
    const lines: unknown[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => lines.push(JSON.parse(line)));
    onTestFinished(() => log.mockRestore());
    const host = createTestHost({ LOG_LEVEL: 'warn' });
    onTestFinished(() => host.app.close());
    const event = {
      version: '2.0',
      rawPath: '/',
      headers: { 'a b': 'c' },
      requestContext: { http: { method: 'GET' } },
    };
    expect(await createLambdaHandler(host)(event, invocationOf('invoke-id'))).toMatchObject({
      statusCode: 400,
      headers: { 'x-request-id': 'invoke-id', 'x-content-type-options': 'nosniff' },
      body: expect.stringContaining('The event cannot be read as a request.'),
    });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'request refused',
        request_id: 'invoke-id',
        status: 400,
        error_code: 'BAD_REQUEST',
        error: expect.objectContaining({ cause: expect.objectContaining({ name: 'TypeError' }) }),
      }),
    ]);
  });
});
