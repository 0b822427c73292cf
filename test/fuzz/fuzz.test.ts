import { expect, it } from 'vitest';
import { openApp } from '../support/hosts/in-process.ts';
import { sendMutated } from './send-mutated.ts';

it('answers mutated requests with 200, 400, 413, 415 or 504, each in JSON', async () => {
  const host = openApp({ MAX_JSON_DEPTH: '32' });
  const statuses = await sendMutated(host, 4_000, 1);
  // Some bodies are still valid after their change, and some are not.
  expect(statuses.get(200)).toBeGreaterThan(100);
  expect(statuses.get(400)).toBeGreaterThan(1_000);
  await host.close();
});
