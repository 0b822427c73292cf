import { describe, expect, it } from 'vitest';
import { openApp } from '../../../support/hosts/in-process.ts';
import { infer, split } from '../../../support/serve-models.ts';

const ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
const app = openApp();

describe('a timeout', () => {
  const ask = async (timeout: unknown) => {
    const answer = await infer(app, 'iris', { inputs: [ROW], parameters: { timeout } });
    return { ...answer, json: split(answer).json };
  };

  it('that ends before the answer is ready gets a 504 that asks to try again', async () => {
    const { status, headers, json } = await ask(1);
    expect([status, headers['retry-after']]).toEqual([504, '1']);
    expect(json).toMatchObject({
      error: expect.stringContaining('timeout'),
      error_code: 'DEADLINE_EXCEEDED',
      code: 504,
    });
  });

  it.each([0, null, 600_000_000, 2 ** 64])('of %s lets the model finish', async (timeout) => {
    expect((await ask(timeout)).status).toBe(200);
  });
});
