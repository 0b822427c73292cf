import { describe, expect, it } from 'vitest';
import { DATATYPES } from '../../../../shared/tensor/datatype.ts';
import { post } from '../../../contracts/exchanges.ts';
import { buildModel, buildNode, FLOAT, identityModel, tensorValue } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { infer, serveModels, split } from '../../../support/serve-models.ts';

const ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
const app = openApp({ MAX_JSON_DEPTH: '32' });

describe('a wrong inference request', () => {
  const valid = { inputs: [ROW] };
  const input = (changes: object) => ({ inputs: [{ ...ROW, ...changes }] });
  it.each([
    ['an id that is not text', { ...valid, id: 7 }, 'Field "id" is the number 7; expected a string.'],
    [
      'a later request of a sequence',
      { ...valid, parameters: { sequence_id: 5, sequence_start: false, sequence_end: true } },
      'Field "parameters.sequence_id" is the number 5, and the request is not the first of its sequence; no state is kept between requests here, so each one brings all inputs of the graph.',
    ],
    [
      'a request of a sequence with a name',
      { ...valid, parameters: { sequence_id: 'call-7' } },
      /^Field "parameters.sequence_id" is the string "call-7", and the request is not the first/,
    ],
    [
      'a request of a sequence whose start is not a flag',
      { ...valid, parameters: { sequence_id: 5, sequence_start: 1 } },
      /^Field "parameters.sequence_id" is the number 5, and the request is not the first/,
    ],
    ['no inputs', {}, 'Input "features" is missing; the model takes "features".'],
    [
      'inputs that are not a list',
      { inputs: {} },
      'Field "inputs" is an object with no keys; expected an array of tensors.',
    ],
    [
      'an unknown input with one that is known',
      { inputs: [ROW, { ...ROW, name: 'x' }] },
      'There is no input "x"; the model takes "features".',
    ],
    ['an input twice', { inputs: [ROW, ROW] }, 'Input "features" is given twice.'],
    [
      'an unknown datatype',
      input({ datatype: 'FLOAT' }),
      /^Input "features" has the datatype the string "FLOAT"; expected one of BOOL, /,
    ],
    [
      'another datatype',
      input({ datatype: 'INT64', data: [1, 2, 3, 16777217] }),
      'Element 3 of Input "features" is 16777217, which does not fit into the model\'s FP32.',
    ],
    [
      'another rank',
      input({ shape: [4] }),
      'Input "features" has the shape [4]; expected [-1,4], where -1 is any size.',
    ],
    ['another size', input({ shape: [1, 3], data: [1, 2, 3] }), /has the shape \[1,3\]; expected \[-1,4\]/],
    ['a negative size', input({ shape: [-1, 4] }), /has the shape \[-1,4\]; expected whole numbers/],
    [
      'too few elements',
      input({ data: [1, 2, 3] }),
      'Input "features" has 3 elements; its shape [1,4] says 4.',
    ],
    [
      'ragged lists',
      input({
        shape: [2, 4],
        data: [
          [1, 2, 3, 4],
          [1, 2],
        ],
      }),
      /is ragged: an array of 2 at depth 1; expected an array of 4/,
    ],
    [
      'a shape with an object in it',
      input({ shape: [{}, null, 4] }),
      /^Input "features" has the shape \[(?!.*object Object).*,4\]; expected whole numbers of at least 0\.$/,
    ],
    ['a list with a number', input({ data: [1, [2], 3, 4] }), /is ragged/],
    [
      'a text for a number',
      input({ data: [1, 'x', 3, 4] }),
      'Element 1 of input "features" is the string "x"; expected a number.',
    ],
    [
      'a number too large',
      input({ data: [1, 1e39, 3, 4] }),
      /Element 1 of input "features" is the number 1e\+39/,
    ],
    [
      'no data',
      input({ data: undefined }),
      'Input "features" has neither "data" nor "binary_data_size"; expected one of them.',
    ],
    [
      'bytes that are missing',
      input({ data: undefined, parameters: { binary_data_size: 16 } }),
      'Input "features" has 0 bytes after the JSON; expected 16.',
    ],
    [
      'shared memory',
      input({ parameters: { shared_memory_region: 'r' } }),
      'Field "inputs[0].parameters" has "shared_memory_region": shared memory is not supported.',
    ],
    [
      'shared memory for an output',
      { ...valid, outputs: [{ name: 'logits', parameters: { shared_memory_byte_size: 12 } }] },
      /^Field "outputs\[0\]\.parameters" has "shared_memory_byte_size": /,
    ],
    [
      'data in both places',
      input({ parameters: { binary_data_size: 16 } }),
      'Input "features" has both "data" and "binary_data_size"; expected one of them.',
    ],
    [
      'a parameter of a reserved name',
      { ...valid, parameters: { triton_note: 1 } },
      'Field "parameters" has "triton_note"; names with "triton_" are reserved.',
    ],
    [
      'parameters that are not an object',
      { ...valid, parameters: [] },
      'Field "parameters" is an array of 0; expected an object.',
    ],
    [
      'a negative timeout',
      { ...valid, parameters: { timeout: -1 } },
      'Field "parameters.timeout" is the number -1; expected a whole number of microseconds, or 0 for none.',
    ],
    [
      'half a microsecond',
      { ...valid, parameters: { timeout: 0.5 } },
      /timeout" is the number 0.5; expected/,
    ],
    ['a timeout in text', { ...valid, parameters: { timeout: '1' } }, /timeout" is the string "1"; expected/],
    [
      'a shape of too many axes',
      input({ shape: new Array(65).fill(1) }),
      'Input "features" has a shape of 65 axes; the limit is 64.',
    ],
    [
      'an unknown output',
      { ...valid, outputs: [{ name: 'y' }] },
      'There is no output "y"; the model has "logits".',
    ],
    [
      'an output twice',
      { ...valid, outputs: [{ name: 'logits' }, { name: 'logits' }] },
      'Output "logits" is requested twice.',
    ],
    [
      'classes below none',
      { ...valid, outputs: [{ name: 'logits', parameters: { classification: -1 } }] },
      /classification" is the number -1/,
    ],
  ])('is refused with a reason: %s', async (_, body, message) => {
    const answer = await infer(app, 'iris', body);
    const { error, code } = split(answer).json;
    expect([answer.status, code]).toEqual([400, 400]);
    if (typeof message === 'string') expect(error).toBe(message);
    else expect(error).toMatch(message);
  });

  it('is refused for leftover bytes, a wrong length of the JSON, and texts that strings cannot hold', async () => {
    const messageOf = async (...given: Parameters<typeof infer>) => split(await infer(...given)).json.error;
    const head = { inputs: [{ ...ROW, data: undefined, parameters: { binary_data_size: 16 } }] };
    expect(await messageOf(app, 'iris', head, Buffer.alloc(17))).toBe(
      'The body has 1 bytes after the last tensor.',
    );
    const wrong = { 'inference-header-content-length': '99999' };
    expect(await messageOf(app, 'iris', valid, undefined, wrong)).toMatch(
      /^The length of the JSON is "99999"; expected/,
    );
    const host = await serveModels({ text: identityModel(DATATYPES.BYTES.code, ['n']) });
    const text = (data: string[]) => ({
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [data.length], data }],
    });
    expect(await messageOf(host, 'text', text(['a\0b']))).toMatch(/^Element 0 of Input "x" .*NUL/);
    expect(await messageOf(host, 'text', text(['a', '\ud800']))).toMatch(
      /^Element 1 of Input "x" .*surrogate/,
    );
    const bytes = Buffer.from([2, 0, 0, 0, 0xff, 0xfe]);
    const binary = {
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 6 } }],
    };
    expect(await messageOf(host, 'text', binary, bytes)).toBe(
      'Element 0 of Input "x" is not valid UTF-8; the strings of this model must be.',
    );
    expect(
      await messageOf(
        host,
        'text',
        { inputs: [{ ...binary.inputs[0], parameters: { binary_data_size: 5 } }] },
        bytes.subarray(0, 5),
      ),
    ).toBe('Element 0 of Input "x" ends beyond its 5 bytes.');
  });
});

describe('a request that is meant to break the server', () => {
  it('gets a 400 for a hundred thousand outputs', async () => {
    const outputs = Array.from({ length: 100_000 }, (_, index) => ({ name: `o${index}` }));
    const host = await serveModels({ one: identityModel(FLOAT, ['n']) }, { MAX_BODY_BYTES: '9000000' });
    const inputs = [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }];
    expect(split(await infer(host, 'one', { inputs, outputs })).json.error).toBe(
      'There is no output "o0"; the model has "y".',
    );
  });

  const matrix = buildModel({
    nodes: [buildNode('MatMul', ['a', 'b'], ['y'])],
    inputs: [tensorValue('a', FLOAT, ['n', 'k']), tensorValue('b', FLOAT, ['k', 'm'])],
    outputs: [tensorValue('y', FLOAT, ['n', 'm'])],
  });
  const empty = (name: string, shape: number[]) => ({ name, shape, datatype: 'FP32', data: [] });

  it('gets a 4xx for outputs that small inputs make huge', async () => {
    const host = await serveModels({ matrix }, { MAX_TENSOR_ELEMENTS: '10000' });
    const ask = (n: number) => infer(host, 'matrix', { inputs: [empty('a', [n, 0]), empty('b', [0, n])] });
    expect((await ask(100)).status).toBe(200);
    const tooLarge = await ask(101);
    expect(tooLarge.status).toBe(413);
    expect(split(tooLarge).json.error).toBe(
      'Output "y" has 10201 elements; the limit is 10000 (MAX_TENSOR_ELEMENTS).',
    );
    expect((await ask(10_001)).status).toBe(413);
    expect((await ask(Number.MAX_SAFE_INTEGER)).status).toBe(413);
  });

  it('gets a 400 for whole numbers that JSON parsers round, in any place', async () => {
    const host = await serveModels({ whole: identityModel(DATATYPES.INT64.code, ['n']) });
    const ask = async (shape: string, data: string) => {
      const answer = await infer(
        host,
        'whole',
        `{"inputs":[{"name":"x","shape":${shape},"datatype":"INT64","data":${data}}]}`,
      );
      return [answer.status, split(answer).json.error];
    };
    expect(await ask('[1]', '[1e30]')).toEqual([
      400,
      'Element 0 of input "x" is 1e+30, which readers of JSON round; send it as a whole number with all its digits.',
    ]);
    expect(await ask('[9007199254740993]', '[9007199254740993]')).toEqual([
      400,
      expect.stringContaining('expected whole numbers'),
    ]);
    expect(await ask('[1]', '[9007199254740993]')).toEqual([200, undefined]);
  });

  it('finds no slow path in a header', async () => {
    const type = `application/vnd.sagemaker-triton.binary+json${' ;'.repeat(4000)}`;
    const answer = await app.send({
      ...post('/v2/models/iris/infer', { inputs: [ROW] }),
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(200);
  });
});

it('takes requests that depend on no other request of their sequence', async () => {
  for (const parameters of [
    { sequence_id: 0, sequence_start: false, sequence_end: false },
    { sequence_id: '', sequence_start: null },
    { sequence_id: 5, sequence_start: true },
    { sequence_id: 'call-7', sequence_start: true, sequence_end: true },
  ]) {
    expect((await infer(app, 'iris', { inputs: [ROW], parameters })).status).toBe(200);
  }
});
