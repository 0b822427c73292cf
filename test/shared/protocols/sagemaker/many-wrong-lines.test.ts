import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, requestUrl } from '../../../../functions/host.ts';
import { parseConfig } from '../../../../shared/config.ts';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { createJsonLines } from '../../../../shared/protocols/sagemaker/read-lines.ts';
import { splitLines } from '../../../../shared/values/lines.ts';
import { errorOf } from '../../../support/error-of.ts';
import { createTestHost } from '../../../support/hosts/in-process.ts';
import { contract, spec } from '../../../support/make-contract.ts';

const GOOD = '5.1,3.5,1.4,0.2';

describe('many wrong lines', () => {
  it.each([
    // A line that cannot be decoded is never run; one of another length can be decoded alone.
    ['none', 0, 'x', 1],
    ['every second', 2, 'x', 501],
    ['every tenth', 10, 'x', 100],
    ['every fiftieth', 50, 'x', 20],
    ['all but the first', 1, 'x', 1],
    ['every tenth, of another length', 10, '[5.1,3.5,1.4]', 199],
    ['every fiftieth, of another length', 50, '[5.1,3.5,1.4]', 39],
  ])('are answered one by one in their order, and run few times: %s', async (_, each, wrong, mostRuns) => {
    const host = createTestHost({ MAX_BATCH_SIZE: '1024', MAX_BODY_BYTES: '1000000' });
    onTestFinished(() => host.app.close());
    const isWrong = (index: number) => each > 0 && index > 0 && index % each === 0;
    const lines = Array.from({ length: 1000 }, (_, index) => (isWrong(index) ? wrong : `[${GOOD}]`));
    const headers = new Headers({ 'content-type': 'application/jsonlines', accept: 'application/jsonlines' });
    const request = new BytesRequest(
      requestUrl('/models/iris/invoke'),
      { method: 'POST', headers },
      Buffer.from(lines.join('\n')),
    );
    const response = await host.app.fetch(request, createContext(headers, 'r'));
    const answers = (await response.text()).trimEnd().split('\n');
    expect(answers.map((answer) => answer.includes('error'))).toEqual(lines.map((line) => line === wrong));
    const { success, failure } = host.app.inference.statistics({ name: 'iris', version: '2' });
    expect(success.count + failure.count).toBeLessThanOrEqual(mostRuns);
  });

  it('are parsed once, however often they are asked for', () => {
    const limits = parseConfig({}).limits;
    const body = Buffer.from('[1,2]\n[3,"x"]\n[5\n[7,8]');
    const lines = createJsonLines(splitLines(body, limits), limits);
    const model = contract([spec('x', 'FP32', [-1, 2])]);
    expect(errorOf(() => lines.decode(0, 4, model)).message).toMatch(/^Line 3 is not valid JSON/);
    // Lines that were parsed are not read again.
    body.fill('?');
    expect(lines.decode(0, 1, model).get('x')).toMatchObject({ data: Float32Array.of(1, 2) });
    expect(lines.decode(3, 4, model).get('x')).toMatchObject({ data: Float32Array.of(7, 8) });
    expect(errorOf(() => lines.decode(1, 2, model)).message).toContain('the string "x"');
    expect(errorOf(() => lines.decode(2, 3, model)).message).toMatch(/^Line 3/);
  });

  it('are run in batches of two megabytes, so that long ones are not in memory together', async () => {
    const host = createTestHost({ MAX_BATCH_SIZE: '1024', MAX_BODY_BYTES: '10000000', MAX_VALUES: '900000' });
    onTestFinished(() => host.app.close());
    // Spaces around the numbers: 40 KB a line, 8 MB in all.
    const line = `[5.1,3.5,${' '.repeat(40_000)}1.4,0.2]\n`;
    const headers = new Headers({ 'content-type': 'application/jsonlines', accept: 'application/jsonlines' });
    const body = Buffer.from(line.repeat(200));
    const request = new BytesRequest(requestUrl('/models/iris/invoke'), { method: 'POST', headers }, body);
    const response = await host.app.fetch(request, createContext(headers, 'r'));
    expect([response.status, (await response.text()).trimEnd().split('\n').length]).toEqual([200, 200]);
    const { batches } = host.app.inference.statistics({ name: 'iris', version: '2' });
    expect(
      batches.map(({ batchSize }) => batchSize).every((size) => size * line.length <= 2 * 1024 ** 2),
    ).toBe(true);
    expect(batches.reduce((sum, { batchSize, run }) => sum + batchSize * run.count, 0)).toBe(200);
  });
});
