import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LARGE_BYTES } from '../../../shared/models/hash-file.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import type { InputKind } from '../../../shared/values/input.ts';
import { manifest } from '../../support/artifact-setup.ts';
import {
  buildModel,
  buildNode,
  externalInitializer,
  FLOAT,
  identityModel,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { readFormatFolder } from '../../support/format-folders.ts';
import {
  imagesInput,
  infer,
  inferTensors,
  lookAt,
  makeInference,
  rowsInput,
  tensorsInput,
  textsInput,
} from '../../support/make-inference.ts';
import { sumModel } from '../../support/outside-weights.ts';
import { MODELS } from '../../support/project.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

/** A request that a version is known to answer. */
const REFERENCE = JSON.stringify({
  cases: [{ request: { inputs: { x: [[1, 2]] } }, expected: { outputs: { y: [[11, 22]] } } }],
});

const identity = identityModel(FLOAT, ['n', 2]);
const regression = JSON.stringify({ task: 'tabular-regression' });
const negation = buildModel({
  nodes: [buildNode('Neg', ['x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['n', 2])],
  outputs: [tensorValue('y', FLOAT, ['n', 2])],
});

const ask = (model: string | undefined, version?: string) => ({
  model,
  version,
  input: tensorsInput([[1, 2]]),
});
const askRows = (model: string | undefined) => ({ model, version: undefined, input: rowsInput([[1, 2]]) });
const yOf = (values: readonly number[]) => ({
  kind: 'tensors',
  tensors: new Map([['y', createTensor('FP32', [1, 2], values)]]),
});

describe('infer', () => {
  it('runs the version of the request, or the highest', async () => {
    const folder = await makeFolder({
      'm/1/model.onnx': identity,
      'm/2/model.onnx': identity,
      'm/10/model.onnx': negation,
    });
    const { inference } = makeInference(folder);
    const live = await infer(inference, ask('m'));
    expect([live.reference, live.output]).toEqual([{ name: 'm', version: '10' }, yOf([-1, -2])]);
    const old = await infer(inference, ask('m', '2'));
    expect([old.reference, old.output]).toEqual([{ name: 'm', version: '2', variant: 'named' }, yOf([1, 2])]);
    expect(old.runMs).toBeGreaterThan(0);
  });

  it('answers many requests at once, with one load', async () => {
    const { inference, log } = makeInference(await makeFolder({ 'm/1/model.onnx': negation }));
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        infer(inference, { model: 'm', version: undefined, input: tensorsInput([[index, 1]]) }),
      ),
    );
    expect(results.map(({ output }) => output)).toEqual(results.map((_, index) => yOf([-index, -1])));
    expect(log.filter(({ message }) => message === 'model loaded')).toHaveLength(1);
  });

  it('lists the models or versions when one is unknown', async () => {
    const { inference } = makeInference(MODELS);
    const model = await rejectionOf(infer(inference, ask('nope')));
    expect([model.code, model.message]).toEqual([
      'RESOURCE_DOES_NOT_EXIST',
      'There is no model "nope"; the models are: digits, iris.',
    ]);
    const version = await rejectionOf(infer(inference, ask('iris', '9')));
    expect(version.message).toBe('Model "iris" has no version "9"; its versions are 1, 2.');
  });
});

describe('the model of a request that names none', () => {
  it('is the only one in the repository', async () => {
    const { inference } = makeInference(await makeFolder({ 'only/1/model.onnx': identity }));
    expect((await infer(inference, ask(undefined))).reference.name).toBe('only');
  });

  it('is the default one', async () => {
    const folder = await makeFolder({ 'a/1/model.onnx': identity, 'b/1/model.onnx': identity });
    const { inference } = makeInference(folder, { defaultModel: 'b' });
    expect((await infer(inference, ask(undefined))).reference.name).toBe('b');
  });

  it('is the only one that takes such input', async () => {
    const { inference } = makeInference(MODELS);
    const rows = await infer(inference, {
      ...ask(undefined),
      input: rowsInput([[5.1, 3.5, 1.4, 0.2]]),
    });
    expect(rows.reference.name).toBe('iris');
    const example = await lookAt(inference, { name: 'digits', version: '1' }, (model) => model.example);
    const image = Buffer.from(String(example?.image), 'base64');
    const images = await infer(inference, { ...ask(undefined), input: imagesInput([image]) });
    expect(images.reference.name).toBe('digits');
  });

  it('is known by its folder, as another model can get its name', async () => {
    const folder = await makeFolder({});
    await cp(join(MODELS, 'iris/1'), join(folder, 'a/1'), { recursive: true });
    await cp(join(MODELS, 'digits/1'), join(folder, 'b/1'), { recursive: true });
    const { inference } = makeInference(folder);
    const nameOf = async (kind: InputKind) => (await inference.resolve({ kind })).name;
    expect([await nameOf('features'), await nameOf('image')]).toEqual(['a', 'b']);
    const log = createReleaseLog(openFilesystemStore(folder));
    for (const [from, to] of [
      ['a', 'c'],
      ['b', 'a'],
    ] as const) {
      const signed = { by: 'ada', why: '', action: 'rename' };
      await log.change(from, signed, ({ serving }) => ({ serving: { ...serving, name: to } }));
      await inference.repository.renew();
    }
    expect([await nameOf('features'), await nameOf('image')]).toEqual(['c', 'a']);
  });

  it('is the only one whose small files say so', async () => {
    const bert = readFormatFolder('optimum/bert-features');
    const folder = await makeFolder({
      'a/1/model.onnx': identity,
      ...Object.fromEntries(Object.entries(bert).map(([path, content]) => [`bert/1/${path}`, content])),
    });
    const { inference } = makeInference(folder);
    const answer = await infer(inference, { ...ask(undefined), input: textsInput(['a']) });
    expect(answer.reference.name).toBe('bert');
  });

  it('is not guessed: the answer says why and lists the models', async () => {
    const folder = await makeFolder({
      'a/1/model.onnx': identity,
      'a/1/model.json': regression,
      'b/1/model.onnx': identity,
      'b/1/model.json': regression,
      'c/1/model.onnx': identity,
      'd/1/model.onnx': identity,
      'd/1/model.json': 'not JSON',
    });
    const { inference } = makeInference(folder);
    const several = await rejectionOf(infer(inference, askRows(undefined)));
    expect([several.code, several.message]).toEqual([
      'BAD_REQUEST',
      'The request names no model and a and b take such input. Name one by the route, such as /models/{model}/predict or /invocations?model_name={model}, or set DEFAULT_MODEL. The models are: a, b, c, d.',
    ]);
    const none = await rejectionOf(infer(inference, ask(undefined)));
    expect(none.message).toMatch('names no model and no model takes such input');
  });

  it('does not exist in an empty repository', async () => {
    const { inference } = makeInference(await makeFolder({ 'README.md': 'no models yet' }));
    const error = await rejectionOf(infer(inference, ask(undefined)));
    expect(error.message).toMatch('The models are: none.');
  });
});

describe('a model that cannot be loaded', () => {
  it('is unavailable with its reason and the time to try again; others keep answering', async () => {
    const folder = await makeFolder({ 'bad/1/model.onnx': '<html>', 'good/1/model.onnx': identity });
    const { inference, log } = makeInference(folder);
    const error = await rejectionOf(infer(inference, ask('bad')));
    expect([error.code, error.status, error.message, error.headers]).toEqual([
      'MODEL_UNAVAILABLE',
      503,
      'Model "bad" version "1" cannot be loaded: its model.onnx is a web page, perhaps from a failed download.',
      { 'retry-after': '1' },
    ]);
    expect(inference.state({ name: 'bad', version: '1' })).toBe('failed');
    expect((await infer(inference, ask('good'))).output).toEqual(yOf([1, 2]));
    expect(inference.state({ name: 'good', version: '1' })).toBe('loaded');
    expect(log.find(({ message }) => message === 'model failed to load')).toMatchObject({
      level: 'error',
      model: 'bad/1',
      error: { name: 'ModelError' },
    });
  });

  it('keeps an older version of it available', async () => {
    const folder = await makeFolder({ 'm/1/model.onnx': identity, 'm/2/model.onnx': '' });
    const { inference } = makeInference(folder);
    expect((await rejectionOf(infer(inference, ask('m')))).message).toBe(
      'Model "m" version "2" cannot be loaded: its model.onnx is empty.',
    );
    expect((await infer(inference, ask('m', '1'))).reference.version).toBe('1');
  });

  it('says what is wrong with its model.json, and serves without a broken reference.json', async () => {
    const folder = await makeFolder({
      'a/1/model.onnx': identity,
      'a/1/model.json': JSON.stringify({ task: 'tabular-regression', labels: ['x'] }),
      'b/1/model.onnx': identity,
      'b/1/reference.json': '{}',
    });
    const { inference } = makeInference(folder);
    expect((await rejectionOf(infer(inference, ask('a')))).message).toBe(
      'Model "a" version "1" cannot be loaded: its model.json is not valid (the file: unknown member "labels").',
    );
    // The reference is only an example: the model serves without it.
    expect((await infer(inference, ask('b'))).reference.name).toBe('b');
  });

  it('is damaged when a checksum differs', async () => {
    const manifest = {
      files: [{ path: 'model.onnx', sizeBytes: identity.length, sha256: 'a'.repeat(64) }],
    };
    const folder = await makeFolder({
      'm/1/model.onnx': identity,
      'm/1/files.json': JSON.stringify(manifest),
    });
    const { inference } = makeInference(folder);
    const error = await rejectionOf(infer(inference, ask('m')));
    expect(error.message).toMatch(
      /^Model "m" version "1" cannot be loaded: its model\.onnx is damaged: its checksum/,
    );
    expect(error.message).not.toMatch(folder);
  });

  it.each([
    ['that was tried when it was published', { 'm/1/reference.json': REFERENCE }],
    ['that runs on made-up input first', {}],
  ])('gives no output of weights whose checksum differs, of a model %s', async (_, others) => {
    const weights = Buffer.alloc(LARGE_BYTES);
    weights.set(Buffer.from(Float32Array.of(10, 20).buffer));
    const model = Buffer.from(
      sumModel('none', 'initializer', (name) => externalInitializer(name, 'w.bin', { length: '8' })),
    );
    const published = { 'model.onnx': model, 'w.bin': weights };
    const files = { 'm/1/files.json': manifest(published), 'm/1/model.onnx': model, ...others };
    const wrong = Buffer.from(weights);
    wrong[0] = 1;
    const folder = await makeFolder({ ...files, 'm/1/w.bin': wrong });
    const { inference } = makeInference(folder);
    const reason =
      /^Model "m" version "1" cannot be loaded: its w\.bin is damaged: its checksum differs from the published one\.$/;
    expect((await rejectionOf(infer(inference, ask('m')))).message).toMatch(reason);
    expect((await rejectionOf(infer(inference, ask('m')))).message).toMatch(reason);
    expect(inference.state({ name: 'm', version: '1' })).toBe('failed');
    await writeFiles(folder, { 'm/1/w.bin': weights });
    const repaired = makeInference(folder);
    expect((await infer(repaired.inference, ask('m'))).output).toEqual(yOf([11, 22]));
  });

  it('does not include a model whose run fails: that is a different error', async () => {
    const product = buildModel({
      nodes: [buildNode('MatMul', ['x', 'x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 2])],
      outputs: [tensorValue('y', FLOAT, ['n', 2])],
    });
    const { inference } = makeInference(await makeFolder({ 'm/1/model.onnx': product }));
    const error = await rejectionOf(infer(inference, ask('m')));
    expect(error.code).toBe('INVALID_PARAMETER_VALUE');
    expect(String(error.cause)).toContain('dimension mismatch');
    expect(inference.state({ name: 'm', version: '1' })).toBe('loaded');
  });
});

describe('describe', () => {
  it('loads the model and shows it; the example is the first reference case', async () => {
    const { inference } = makeInference(MODELS);
    const reference = { name: 'iris', version: '1' };
    expect(inference.state(reference)).toBeUndefined();
    const seen = await lookAt(inference, reference, ({ example, config }) => [example, config.task]);
    expect(seen).toEqual([{ features: [5.1, 3.5, 1.4, 0.2] }, 'tabular-classification']);
    expect(inference.state(reference)).toBe('loaded');
  });
});

describe('preload', () => {
  it('loads the live version of the models named, or of all', async () => {
    const { inference } = makeInference(MODELS);
    const states = () =>
      [
        ['digits', '1'],
        ['iris', '1'],
        ['iris', '2'],
      ].map(([name = '', version = '']) => inference.state({ name, version }));
    await inference.preload([]);
    expect(states()).toEqual([undefined, undefined, undefined]);
    await inference.preload(['iris']);
    expect(states()).toEqual([undefined, undefined, 'loaded']);
    await inference.preload(['*']);
    expect(states()).toEqual(['loaded', undefined, 'loaded']);
  });

  it('logs unknown and broken models and continues', async () => {
    const folder = await makeFolder({ 'bad/1/model.onnx': '', 'good/1/model.onnx': identity });
    const { inference, log } = makeInference(folder);
    await inference.preload(['nope', 'bad', 'good']);
    expect(inference.state({ name: 'good', version: '1' })).toBe('loaded');
    const failed = log.filter(({ message }) => message === 'preload failed');
    expect(failed.map(({ level, model }) => [level, model])).toEqual([
      ['warn', 'nope'],
      ['warn', 'bad'],
    ]);
  });

  it('logs a repository that cannot be read: the server still starts and can say so', async () => {
    const folder = await makeFolder({});
    const { inference, log } = makeInference(`${folder}/later`);
    for (const names of [[], ['*'], ['m']]) await inference.preload(names);
    expect(new Set(log.map(({ level, message }) => `${level}: ${message}`))).toEqual(
      new Set(['warn: preload failed']),
    );
    await writeFiles(folder, { 'later/m/1/model.onnx': identity });
    expect((await infer(inference, ask('m'))).output).toEqual(yOf([1, 2]));
  });
});

describe('the largest batch of a model', () => {
  it('holds for rows and for tensors', async () => {
    const config = JSON.stringify({ task: 'tabular-regression', maxBatchSize: 2 });
    const folder = await makeFolder({ 'm/1/model.onnx': identity, 'm/1/model.json': config });
    const { inference } = makeInference(folder);
    const rows = (count: number) => ({ ...askRows('m'), input: rowsInput(new Array(count).fill([1, 2])) });
    expect((await infer(inference, rows(2))).output).toMatchObject({ kind: 'regression' });
    const message = 'The request has 3 instances; this model takes at most 2 at once.';
    expect(await rejectionOf(infer(inference, rows(3)))).toMatchObject({ status: 400, message });
    const tensors = inferTensors(inference, {
      reference: { name: 'm', version: '1' },
      inputs: new Map([['x', createTensor('FP32', [3, 2], [1, 2, 3, 4, 5, 6])]]),
      outputs: undefined,
    });
    expect((await rejectionOf(tensors)).message).toBe(message);
  });
});

describe('the session cache', () => {
  it('keeps no more sessions than fit, and loads the others again', async () => {
    const folder = await makeFolder({ 'a/1/model.onnx': identity, 'b/1/model.onnx': negation });
    const { inference, log } = makeInference(folder, { sessionCacheBytes: 1 });
    for (const model of ['a', 'b', 'a']) await infer(inference, ask(model));
    const loads = log.filter(({ message }) => message === 'model loaded').map(({ model }) => model);
    expect(loads).toEqual(['a/1', 'b/1', 'a/1']);
    expect(inference.state({ name: 'b', version: '1' })).toBeUndefined();
  });
});

describe('close', () => {
  it('frees all sessions', async () => {
    const { inference } = makeInference(await makeFolder({ 'm/1/model.onnx': identity }));
    await infer(inference, ask('m'));
    await inference.close();
    expect(inference.state({ name: 'm', version: '1' })).toBeUndefined();
  });

  it('leaves the runtime in working order', async () => {
    const { inference } = makeInference(MODELS);
    await inference.close();
    await expect(inference.checkRuntime()).resolves.toBeUndefined();
  });
});
