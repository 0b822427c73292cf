import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrialOptions } from '../../../shared/runtime/trial-process.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  int64Initializer,
  integersAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { countingRows, countingTo, loopModel, scalar } from '../../support/loops.ts';
import { inferOutput, lookAt, serve, tensorsInput } from '../../support/make-inference.ts';
import { MODELS } from '../../support/project.ts';
import { makeTrials } from '../../support/trials.ts';

/** Makes a tensor of zeros of a size, and takes its first row. */
const large = (operator: string, sizes: readonly number[]) =>
  buildModel({
    nodes: [
      operator === 'ConstantOfShape'
        ? buildNode(operator, ['sizes'], ['many'])
        : buildNode(operator, ['x', 'sizes'], ['many']),
      buildNode('ReduceMax', ['many'], ['most']),
      buildNode('Add', ['x', 'most'], ['y']),
    ],
    inputs: [tensorValue('x', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT)],
    initializers: [int64Initializer('sizes', sizes)],
  });

/** A host whose trials are counted. */
function countTrials(options: Partial<TrialOptions> = {}) {
  const trials = makeTrials(options);
  let count = 0;
  const use: typeof trials.use = (...given) => {
    count += 1;
    return trials.use(...given);
  };
  return { trials: { ...trials, use }, count: () => count };
}

async function reasonOf(model: Uint8Array, options: Partial<TrialOptions>): Promise<string> {
  const inference = await serve({ 'model.onnx': model }, { trials: makeTrials(options) });
  const { message } = await rejectionOf(inferOutput(inference, tensorsInput([[0, 0]])));
  return message.replace('Model "m" version "1" cannot be loaded: ', '');
}

const NO_ROOM = 'needed a tensor that does not fit into the memory of this host';

describe('a model that could take the process down', () => {
  it('is refused when it does not end', async () => {
    expect(await reasonOf(countingTo(2n ** 30n), { limitMs: 1500 })).toBe(
      'its Loop can take more than 1000 iterations, so it was tried in a separate process, ' +
        'which did not end within 1.5 s, which is the limit (MAX_TRIAL_SECONDS).',
    );
  });

  it.each([
    [
      'ConstantOfShape',
      [1_000, 1_000, 1_000],
      'needed more than the \\d+ MB of memory that this host has left',
    ],
    ['Expand', [500_000_000, 2], NO_ROOM],
    ['Tile', [500_000_000, 1], NO_ROOM],
  ])('is refused when it takes more memory than there is: %s', async (operator, sizes, end) => {
    // The memory of this process is not available to the trial.
    const memoryBytes = process.memoryUsage.rss() + 800e6;
    expect(await reasonOf(large(operator, sizes), { memoryBytes })).toMatch(
      new RegExp(
        `^its ${operator} makes a tensor whose size is set in the file \\(\\d.*\\), so it was tried in a separate process, ` +
          `which ${end}.$`,
      ),
    );
  });

  it('is refused with one sentence when this process has more than the host gives', async () => {
    const memoryBytes = process.memoryUsage.rss() / 2;
    expect(await reasonOf(large('ConstantOfShape', [1_000, 1_000, 1_000]), { memoryBytes })).toBe(
      'its ConstantOfShape makes a tensor whose size is set in the file (4.0 GB), so it was tried in a separate process, ' +
        'which needed memory, but this host has none left.',
    );
  });

  it('is refused with one sentence when the process cannot be started', async () => {
    expect(await reasonOf(countingRows, { script: '/nowhere/trial.mjs' })).toMatch(
      /which ended with the code 1\.$/,
    );
  });

  it('is served when it passes', async () => {
    for (const model of [countingRows, countingTo(5000n), large('ConstantOfShape', [15_000, 10_000])]) {
      const { trials, count } = countTrials();
      const inference = await serve({ 'model.onnx': model }, { trials });
      const output = await inferOutput(inference, tensorsInput([[1, 2]]));
      expect(output.kind === 'tensors' && output.tensors.get('y')?.shape.at(-1)).toBe(2);
      expect(count()).toBe(1);
    }
  });

  it('is refused with the reason of the runtime where it is not valid', async () => {
    const unknown = buildNode('Frobnicate', ['x'], ['z']);
    const model = loopModel([scalar('turns', 5000n), unknown], 'turns');
    expect(await reasonOf(model, {})).toMatch(/^it uses an operator that the runtime/);
  });
});

describe('a model without such operators', () => {
  it.each([
    ['a forest', readFileSync(join(MODELS, 'iris/1/model.onnx'))],
    ['a network', readFileSync(join(MODELS, 'digits/1/model.onnx'))],
    ['a short Loop', countingTo(1000n)],
    ['small shapes', large('ConstantOfShape', [10, 10])],
    ['a Tile of open size', large('Tile', [1, 2])],
    [
      'random numbers',
      buildModel({
        nodes: [
          buildNode('RandomNormal', [], ['r'], { attributes: [integersAttribute('shape', [1n, 2n])] }),
          buildNode('Add', ['x', 'r'], ['y']),
        ],
        inputs: [tensorValue('x', FLOAT, ['n', 2])],
        outputs: [tensorValue('y', FLOAT, ['n', 2])],
      }),
    ],
  ])('is loaded without another process: %s', async (_, model) => {
    const { trials, count } = countTrials({ script: '/nowhere' });
    const inference = await serve({ 'model.onnx': model }, { trials });
    await lookAt(inference, { name: 'm', version: '1' }, () => undefined);
    expect(count()).toBe(0);
  });
});
