import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agree } from '../../../shared/inference/agree.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { type ReleasedApp, SETOSA, serveReleased } from '../../support/serve-released.ts';

const shadowed = (target: string, percent = 100) => ({
  iris: { live: '1', traffic: { seed: 's', ranges: [], shadows: [{ target, percent }] } },
});

async function countsOf({ monitoring }: ReleasedApp) {
  const collector = await monitoring.collect?.();
  return collector?.shadows.map(({ version, counts, duration }) => ({
    version,
    ...counts,
    timed: duration.counts.reduce((sum, count) => sum + count, 0),
  }));
}

describe('a shadow', () => {
  it('runs each request again after its answer, and agrees with a version of the same files', async () => {
    const served = await serveReleased(shadowed('3'));
    const first = await served.begin('/predict', SETOSA);
    expect(first.headers.get('ternion-model-version')).toBe('1');
    expect(await countsOf(served)).toEqual([]);
    await first.context.waitingWork.run(() => undefined);
    await served.send('/v2/models/iris/infer', {
      inputs: [{ name: 'features', shape: [1, 4], datatype: 'FP32', data: SETOSA.features }],
    });
    expect(await countsOf(served)).toEqual([
      { version: '3', agreed: 2, differed: 0, failed: 0, dropped: 0, timed: 2 },
    ]);
    const lines = served.log.filter(({ message }) => message === 'shadow');
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'debug',
        model: 'iris',
        model_version: '3',
        answered_by: '1',
        outcome: 'agreed',
      }),
      expect.objectContaining({ outcome: 'agreed' }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('5.1');
  });

  it('changes no answer, also if it differs or fails', async () => {
    const alone = await serveReleased({ iris: { live: '1' } });
    const { json } = await alone.send('/predict', SETOSA);
    for (const version of ['2', '3', '9']) {
      const served = await serveReleased(shadowed(version));
      if (version === '3') await writeFile(join(served.folder, 'iris/3/model.onnx'), 'no graph');
      const answer = await served.send('/predict', SETOSA);
      const time = { inference_time_ms: expect.any(Number) };
      expect([answer.status, answer.json]).toEqual([200, { ...json, ...time }]);
      expect(await countsOf(served)).toEqual(
        version === '9' ? [] : [expect.objectContaining({ version, failed: version === '3' ? 1 : 0 })],
      );
    }
  });

  it('gets its share, and none of the requests that name a version or that were refused', async () => {
    const served = await serveReleased(shadowed('3', 0.01));
    await served.send('/predict', SETOSA);
    await served.release(shadowed('3'));
    await served.send('/models/iris/versions/1/predict', SETOSA);
    expect((await served.send('/predict', { features: [1] })).status).toBe(400);
    expect(await countsOf(served)).toEqual([]);
  });

  it('is dropped and counted if another request came, or if one waits for its turn already', async () => {
    const served = await serveReleased(shadowed('3'));
    const first = await served.begin('/predict', SETOSA);
    const second = await served.begin('/predict', SETOSA);
    await second.context.waitingWork.run(() => undefined);
    expect(await countsOf(served)).toEqual([expect.objectContaining({ agreed: 0, dropped: 1 })]);
    await first.context.waitingWork.run(() => undefined);
    expect(await countsOf(served)).toEqual([expect.objectContaining({ agreed: 0, dropped: 2, timed: 0 })]);
    // It does not try again at once, but it does try again.
    let sent = 2;
    do {
      await served.send('/predict', SETOSA);
      sent += 1;
    } while ((await countsOf(served))?.[0]?.agreed === 0 && sent < 10_000);
    expect(await countsOf(served)).toEqual([
      expect.objectContaining({ agreed: 1, dropped: sent - 1, timed: 1 }),
    ]);
  });

  it('is dropped while a request waits', async () => {
    const served = await serveReleased(shadowed('3'));
    const first = await served.begin('/predict', SETOSA);
    const end = served.monitoring.begin();
    await first.context.waitingWork.run(() => undefined);
    end();
    expect(await countsOf(served)).toEqual([expect.objectContaining({ agreed: 0, dropped: 1 })]);
  });
});

describe('agree', () => {
  const floats = (...values: number[]) => createTensor('FP32', [values.length], values);
  const integers = (...values: number[]) => createTensor('INT64', [values.length], values);
  const texts = (...data: string[]) => ({ datatype: 'BYTES' as const, shape: [data.length], data });
  const classified = (label: string, score: number) => ({
    kind: 'classification' as const,
    labels: ['a', 'b'],
    areProbabilities: true,
    predictions: [{ label, classId: 0, scores: Float64Array.of(score, 1 - score) }],
  });

  it.each([
    ['equal labels with any scores', [classified('a', 0.9)], [classified('a', 0.6)], true],
    ['other labels', [classified('a', 0.9)], [classified('b', 0.9)], false],
    [
      'numbers within 1 %',
      [new Map([['y', floats(100, -1)]])],
      [new Map([['y', floats(100.9, -1.005)]])],
      true,
    ],
    ['numbers beyond 1 %', [new Map([['y', floats(100)]])], [new Map([['y', floats(102)]])], false],
    ['numbers near 0', [new Map([['y', floats(1e-8)]])], [new Map([['y', floats(-1e-8)]])], true],
    ['NaN and a number', [new Map([['y', floats(Number.NaN)]])], [new Map([['y', floats(1)]])], false],
    ['NaN twice', [new Map([['y', floats(Number.NaN)]])], [new Map([['y', floats(Number.NaN)]])], true],
    ['another shape', [new Map([['y', floats(1, 2)]])], [new Map([['y', floats(1)]])], false],
    ['another name', [new Map([['y', floats(1)]])], [new Map([['z', floats(1)]])], false],
    [
      'whole numbers that are near',
      [new Map([['y', integers(1000)]])],
      [new Map([['y', integers(1001)]])],
      false,
    ],
    [
      'equal labels with other scores',
      [
        new Map([
          ['label', texts('a')],
          ['score', floats(0.9)],
        ]),
      ],
      [
        new Map([
          ['score', floats(0.1)],
          ['label', texts('a')],
        ]),
      ],
      true,
    ],
    [
      'predictions of numbers',
      [{ kind: 'regression' as const, predictions: [1, [2, 3]] }],
      [{ kind: 'regression' as const, predictions: [1.001, [2, 3.01]] }],
      true,
    ],
    [
      'values of own code',
      [{ kind: 'values' as const, predictions: [{ a: 'x', b: [1] }] }],
      [{ kind: 'values' as const, predictions: [{ a: 'y', b: [1] }] }],
      false,
    ],
    ['more runs', [classified('a', 0.9)], [classified('a', 0.9), classified('a', 0.9)], false],
  ])('compares %s', (_, given, own, expected) => {
    expect(agree(given, own)).toBe(expected);
  });
});
