import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allocateBody } from '../../../../shared/http/body-memory.ts';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { createInvocation } from '../../../../shared/protocols/invocation.ts';
import { readInferRequest } from '../../../../shared/protocols/open-inference/decode.ts';
import { DATATYPES } from '../../../../shared/tensor/datatype.ts';
import { isBytesInput } from '../../../../shared/values/named-inputs.ts';
import { raw } from '../../../contracts/exchanges.ts';
import { buildModel, buildNode, FLOAT, identityModel, tensorValue } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { contract } from '../../../support/make-contract.ts';
import { infer, serveModels, split } from '../../../support/serve-models.ts';
import { testContext } from '../../../support/test-context.ts';

const PNG = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png'));
const app = openApp();

describe('an input in bytes', () => {
  const head = (changes: object) => ({ inputs: [{ name: 'x', shape: [3], ...changes }] });
  const errorOf = async (...given: Parameters<typeof infer>) => split(await infer(...given)).json.error;

  it('is refused where a BOOL is neither 0 nor 1, in a raw request as well', async () => {
    const host = await serveModels({ bool: identityModel(DATATYPES.BOOL.code, ['n']) });
    const json = head({ datatype: 'BOOL', parameters: { binary_data_size: 3 } });
    const good = await infer(host, 'bool', json, Buffer.from([1, 0, 1]));
    expect(split(good).json.outputs[0].data).toEqual([true, false, true]);
    const message = 'Byte 2 of Input "x" is 2; expected 0 or 1 (BOOL).';
    expect(await errorOf(host, 'bool', json, Buffer.from([1, 0, 2]))).toBe(message);
    const answer = await host.send(
      raw('/v2/models/bool/infer', Buffer.from([1, 0, 2]), { 'inference-header-content-length': '0' }),
    );
    expect([answer.status, split(answer).json.error]).toEqual([400, message]);
  });

  it('is used in place when the host has aligned it for numbers', async () => {
    const values = Float32Array.of(5.1, 3.5, 1.4, 0.2);
    const request = Buffer.from(JSON.stringify(head({ shape: [4], datatype: 'FP32' })));
    const headers = new Headers({ 'inference-header-content-length': String(request.length) });
    const body = allocateBody(request.length + 16, headers);
    body.set(request);
    body.set(Buffer.from(values.buffer), request.length);
    const incoming = new BytesRequest('http://localhost/', { method: 'POST', headers }, body);
    const { inputs } = readInferRequest(createInvocation(incoming, body, testContext(), {})).value(
      contract([]),
    );
    const tensor = inputs.get('x');
    if (!tensor || isBytesInput(tensor) || Array.isArray(tensor.data)) throw new Error('no numbers');
    expect(tensor.data).toEqual(values);
    expect(tensor.data.buffer).toBe(body.buffer);
  });

  it('may leave its size to its shape', async () => {
    const sum = buildModel({
      nodes: [buildNode('Add', ['a', 'b'], ['y'])],
      inputs: [tensorValue('a', FLOAT, ['n']), tensorValue('b', FLOAT, ['n'])],
      outputs: [tensorValue('y', FLOAT, ['n'])],
    });
    const host = await serveModels({ sum });
    const inputs = ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [2] }));
    const bytes = Buffer.from(Float32Array.of(1, 2, 30, 40).buffer);
    const answer = await infer(host, 'sum', { inputs }, bytes);
    expect(split(answer).json.outputs[0].data).toEqual([31, 42]);
    expect(await errorOf(host, 'sum', { inputs }, bytes.subarray(0, 15))).toBe(
      'Input "b" has 7 bytes after the JSON; expected 8.',
    );
    expect(await errorOf(host, 'sum', { inputs }, Buffer.alloc(17))).toBe(
      'The body has 1 bytes after the last tensor.',
    );
  });

  it('may leave its size to the end of the body where it is the only one, with lengths or as one element', async () => {
    const host = await serveModels({ text: identityModel(DATATYPES.BYTES.code, ['n']) });
    const json = (shape: number[]) => head({ datatype: 'BYTES', shape });
    const framed = Buffer.from('\x02\0\0\0hi\x01\0\0\0!', 'latin1');
    const dataOf = async (shape: number[], bytes: Buffer) => {
      const { json: answer } = split(await infer(host, 'text', json(shape), bytes));
      return answer.error ?? answer.outputs[0].data;
    };
    expect(await dataOf([2], framed)).toEqual(['hi', '!']);
    expect(await dataOf([1], framed.subarray(0, 6))).toEqual(['hi']);
    expect(await dataOf([1], Buffer.from('hi'))).toEqual(['hi']);
    expect(await dataOf([1], Buffer.from('hello'))).toEqual(['hello']);
    expect(await dataOf([3], framed)).toBe(
      'Input "x" has 2 elements in its 11 bytes; its shape says 3 elements.',
    );
    const image = { inputs: [{ name: 'image', shape: [1], datatype: 'BYTES' }] };
    const scores: number[] = split(await infer(app, 'digits', image, PNG)).json.outputs[0].data;
    expect(scores.indexOf(Math.max(...scores))).toBe(7);
  });

  it('must have its size where there are other inputs', async () => {
    const both = { inputs: ['x', 'z'].map((name) => ({ name, datatype: 'BYTES', shape: [1] })) };
    expect(await errorOf(app, 'iris', both, Buffer.from('hi'))).toMatch(/^Input "x" has neither/);
  });
});
