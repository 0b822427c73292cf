import { describe, expect, it } from 'vitest';
import { get } from '../../contracts/exchanges.ts';
import { ask } from '../../support/ask.ts';
import { openApp } from '../../support/hosts/in-process.ts';

describe('/ping', () => {
  it('says that the server is healthy', async () => {
    const { status, headers, text } = await ask(openApp(), get('/ping'));
    expect([status, headers['content-type'], text]).toEqual([
      200,
      'application/json',
      '{"status":"Healthy"}',
    ]);
  });
});
