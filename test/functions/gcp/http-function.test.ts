import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../../contracts/exchanges.ts';
import { describeHttpHost } from '../../contracts/http-host.ts';
import { openFunctionsFramework } from '../../support/hosts/child-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';

describeHttpHost('the local bundle in the functions framework', () => openFunctionsFramework('local'));

describe('a request line', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await openFunctionsFramework('local');
  });
  afterAll(() => host.close());

  it.each(['http://example.org/health?a=1', 'HTTPS://example.org:8080/health'])(
    'may have the whole URL: %s',
    async (target) => {
      expect((await host.send(get(target))).status).toBe(200);
    },
  );
});
