import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, post } from '../../contracts/exchanges.ts';
import { ATTACKS } from '../../support/hosts/attacks.ts';
import { type ChildHost, openLocalServer } from '../../support/hosts/child-process.ts';

const REQUEST = post('/predict', { features: [5.1, 3.5, 1.4, 0.2] });

describe('a server', () => {
  let host: ChildHost;
  beforeAll(async () => {
    host = await openLocalServer();
  });
  afterAll(async () => {
    await host.close();
  });

  it.each(Object.entries(ATTACKS))('lives on after %s', async (_, attack) => {
    await attack(host.port);
    expect((await host.send(get('/v2/health/live'))).status).toBe(200);
    expect(JSON.parse((await host.send(REQUEST)).body.toString())).toMatchObject({ prediction: 'setosa' });
    expect(host.process.exitCode).toBeNull();
  });
});
