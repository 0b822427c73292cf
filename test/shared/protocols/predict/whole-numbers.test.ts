import { describe, expect, it } from 'vitest';
import { identityModel } from '../../../support/build-model.ts';
import { serveModels } from '../../../support/serve-models.ts';

const INT64 = 7;

describe('whole numbers of a predict request', () => {
  it('keep all their digits', async () => {
    const host = await serveModels({ echo: identityModel(INT64, [2]) });
    const predict = async (numbers: string) => {
      const body = Buffer.from(`{"inputs": {"x": [${numbers}]}}`);
      return await host.send({ method: 'POST', path: '/models/echo/predict', headers: {}, body });
    };
    const exact = await predict('9223372036854775807, -9007199254740993');
    expect([exact.status, exact.body.toString()]).toEqual([
      200,
      expect.stringContaining('[9223372036854775807,-9007199254740993]'),
    ]);
    const inexact = await predict('1, 1e30');
    expect([inexact.status, JSON.parse(inexact.body.toString()).error]).toEqual([
      400,
      expect.stringMatching(/"inputs\.x\[1\]"/),
    ]);
  });
});
