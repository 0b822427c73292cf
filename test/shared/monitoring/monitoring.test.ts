import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { createCollector } from '../../../shared/monitoring/metrics/collector.ts';
import { createMonitoring } from '../../../shared/monitoring/monitoring.ts';
import type { RequestRecord } from '../../../shared/monitoring/request-record.ts';
import { makeRecord } from '../../support/make-record.ts';

const CONTEXT = { waitUntil: () => undefined };

/** Monitoring whose collector notes what it gets, once it can be opened. */
function open(failures = 0) {
  const logged: RequestRecord[] = [];
  const collected: RequestRecord[] = [];
  let opened = 0;
  const monitoring = createMonitoring({
    log: (record) => logged.push(record),
    metrics: ['ternion'],
    openCollector: async (names) => {
      opened += 1;
      if (opened <= failures) throw new Error('too many open files');
      const collector = await createCollector(names);
      return {
        ...collector,
        request: (record) => {
          collected.push(record);
          collector.request(record);
        },
      };
    },
  });
  return { monitoring, logged, collected };
}

describe('records that wait for the code that counts them', () => {
  const error = new InferenceError('BAD_REQUEST', 'no');

  it('hold no error, which could hold the body of its request, and keep its code', async () => {
    const { monitoring, logged, collected } = open();
    monitoring.request(makeRecord({ status: 400, error }), CONTEXT);
    await monitoring.collect?.();
    expect(logged.map((record) => record.error)).toEqual([error]);
    expect(collected).toMatchObject([{ error: undefined, errorCode: 'BAD_REQUEST' }]);
  });

  it('are counted once each, with those that come after them', async () => {
    const { monitoring, collected } = open();
    for (let index = 0; index < 10; index++) monitoring.request(makeRecord(), CONTEXT);
    expect(collected).toEqual([]);
    await Promise.all([monitoring.collect?.(), monitoring.collect?.()]);
    monitoring.request(makeRecord(), CONTEXT);
    expect(collected).toHaveLength(11);
  });

  it('are counted when many wait, although nobody asks', async () => {
    const { monitoring, collected } = open();
    for (let index = 0; index < 256; index++) monitoring.request(makeRecord(), CONTEXT);
    await expect.poll(() => collected.length).toBe(256);
  });

  it('are counted by the next attempt when the first one fails', async () => {
    const { monitoring, collected } = open(1);
    for (let index = 0; index < 256; index++) monitoring.request(makeRecord(), CONTEXT);
    await nextTurn();
    for (let index = 0; index < 256; index++) monitoring.request(makeRecord(), CONTEXT);
    await expect.poll(() => collected.length).toBe(512);
  });

  it('are dropped, the oldest first, when no attempt succeeds', async () => {
    const { monitoring, collected } = open(20);
    for (let index = 0; index < 20 * 256; index++) {
      monitoring.request(makeRecord({ requestId: String(index) }), CONTEXT);
      if (index % 256 === 255) await nextTurn();
    }
    await monitoring.collect?.();
    expect(collected).toHaveLength(4096);
    expect(collected[0]?.requestId).toBe('1024');
  });
});

it('counts the requests in progress', () => {
  const { monitoring } = open();
  const [first, second] = [monitoring.begin(), monitoring.begin()];
  expect(monitoring.inProgress).toBe(2);
  first();
  second();
  expect(monitoring.inProgress).toBe(0);
});
