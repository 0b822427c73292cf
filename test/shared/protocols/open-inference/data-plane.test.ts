import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkRequested,
  type InferRequest,
  infer,
  readHead,
  takeOutput,
} from '../../../../shared/protocols/open-inference/data-plane.ts';
import { LIMITS, makeInference } from '../../../support/make-inference.ts';
import { PROJECT } from '../../../support/project.ts';

const SETOSA = {
  datatype: 'FP32' as const,
  shape: [1, 4],
  data: new Float32Array([5.1, 3.5, 1.4, 0.2]),
};

/** Runs a request on a model, as a server of any kind would. */
async function ask(request: Partial<InferRequest>, startMs = performance.now()) {
  const { inference } = makeInference(join(PROJECT, 'models'));
  const whole = { id: undefined, outputs: undefined, timeoutMs: undefined, ...request };
  const { value } = await inference.use({ model: 'iris', version: '1' }, {}, (model) =>
    infer({ inputs: new Map([['features', SETOSA]]), ...whole }, model, startMs),
  );
  return value;
}

describe('the data plane of the Open Inference Protocol, without HTTP', () => {
  it('runs a model on values, and says which version answered under which id', async () => {
    const { id, model, tensors } = await ask({ id: 'a' });
    expect([id, model.reference]).toEqual(['a', { name: 'iris', version: '1' }]);
    expect([...tensors.keys()]).toEqual(['output_label', 'output_probability']);
    expect((await ask({})).id).toMatch(/^[\da-f-]{36}$/);
  });

  it('gives the tensors that were asked for, or their best classes', async () => {
    const output = { name: 'output_probability', classes: 0 };
    const result = await ask({ outputs: [output] });
    expect([...result.tensors.keys()]).toEqual(['output_probability']);
    expect(takeOutput(result, output, 1e6)).toBe(result.tensors.get('output_probability'));
    expect(takeOutput(result, { ...output, classes: 1 }, 1e6)).toEqual({
      datatype: 'BYTES',
      shape: [1, 1],
      data: [expect.stringMatching(/^(?:1\.000000|0\.99999\d):0:setosa$/)],
    });
  });

  it('stops when the client no longer waits', async () => {
    const start = performance.now() - 1000;
    await expect(ask({ timeoutMs: 10 }, start)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('checks the datatype and shape that an input declares', () => {
    expect(readHead('x', 'INT8', [2, 0, 3], LIMITS)).toEqual({
      name: 'x',
      datatype: 'INT8',
      shape: [2, 0, 3],
      count: 0,
    });
    const small = { ...LIMITS, tensorElements: 5 };
    expect(() => readHead('x', 'INT8', [2, 0, 3], small)).toThrow('Input "x" has the shape [2,0,3]');
    expect(() => readHead('x', 'INT9', [1], LIMITS)).toThrow('Input "x" has the datatype the string "INT9"');
    expect(() => readHead('x', 'INT8', [-1], LIMITS)).toThrow('Input "x" has the shape [-1]');
  });

  it('takes each output once', () => {
    const output = { name: 'y', classes: 0 };
    expect(() => checkRequested([output, output])).toThrow('Output "y" is requested twice.');
  });
});
