import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  buildModel,
  buildNode,
  externalInitializer,
  FLOAT,
  floatInitializer,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import {
  inferOutput,
  inferTensors,
  makeInference,
  serve,
  tensorsInput,
} from '../../support/make-inference.ts';
import { KINDS, sumModel } from '../../support/outside-weights.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const WEIGHTS = floats(10, 20);

/** Changes the working directory until the test is over. */
function startIn(folder: string): void {
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
}

async function answerOf(files: Readonly<Record<string, Uint8Array>>) {
  const { outputs } = await inferTensors(await serve(files), {
    reference: { name: 'm', version: '1' },
    inputs: new Map([['x', { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }]]),
    outputs: undefined,
  });
  return [...outputs].map(([name, { shape, data }]) => [name, shape, [...data]]);
}

describe('a model with its weights in another file', () => {
  it.each(KINDS)('answers as if they were in the model file (%s, weights in a %s)', async (extra, place) => {
    const whole = await answerOf({
      'model.onnx': sumModel(extra, place, (name) => floatInitializer(name, [2], [10, 20])),
    });
    expect(whole[0]).toEqual(['y', [1, 2], [11, 22]]);
    for (const location of ['weights.bin', 'model.onnx.data', './w', 'a/b/c.data', 'Größe 東.bin', '%2e.x']) {
      const model = sumModel(extra, place, (name) => externalInitializer(name, location));
      // Nothing is read from the folder that the server was started in.
      startIn(await makeFolder({ [location]: floats(-1, -1) }));
      expect(await answerOf({ 'model.onnx': model, [location]: WEIGHTS }), location).toEqual(whole);
    }
  });

  it.each(KINDS)('reads nothing from the working directory (%s, weights in a %s)', async (extra, place) => {
    const model = sumModel(extra, place, (name) => externalInitializer(name, 'secret.txt'));
    startIn(await makeFolder({ 'secret.txt': floats(7, 7) }));
    expect((await rejectionOf(answerOf({ 'model.onnx': model }))).message).toBe(
      'Model "m" version "1" cannot be loaded: its data file "secret.txt" is missing.',
    );
  });

  it('finds the part of a file that is meant', async () => {
    const weights = externalInitializer('w', 'all.bin', { offset: '4', length: '8' });
    const model = sumModel('ZipMap', 'initializer', () => weights);
    expect((await answerOf({ 'model.onnx': model, 'all.bin': floats(0, 10, 20, 0) }))[0]?.[2]).toEqual([
      11, 22,
    ]);
  });
});

describe('a data file is refused', () => {
  const OUTSIDE = 'is outside the folder of the model';
  const NOT_RELATIVE = 'must be a relative path with forward slashes';
  const ADDRESS = 'is an address in memory, not a file';
  const LEADS_OUT = 'is a link that leads outside the folder of the model';
  const reasonOf = async (inference: ReturnType<typeof serve>) =>
    /^Model "m" version "1" cannot be loaded: its data file (.*)\.$/s.exec(
      (await rejectionOf(inferOutput(await inference, tensorsInput([[1, 2]])))).message,
    )?.[1];
  const withData = (
    location: string | Uint8Array,
    entries?: Readonly<Record<string, string>>,
    extra = 'none',
  ) => sumModel(extra, 'initializer', (name) => externalInitializer(name, location, entries));

  it.each([
    ['that is missing', 'weights.data', 'is missing'],
    ['that is called otherwise', 'WEIGHTS.bin', 'is missing'],
    ['in another normal form', 'e\u0301.bin', 'is missing'],
    ['in letters that look the same', 'weights․bin', 'is missing'],
    ['above its folder', '../../../../etc/passwd', OUTSIDE],
    ['that comes back to its folder', 'sub/../weights.bin', OUTSIDE],
    ['by an absolute path', '/etc/passwd', NOT_RELATIVE],
    ['on a drive', 'C:weights.bin', NOT_RELATIVE],
    ['with backslashes', 'sub\\weights.bin', NOT_RELATIVE],
    ['without a name', '', 'has no name'],
    ['that is the folder', '.', 'is not a regular file'],
    ['that is a folder', 'sub', 'is not a regular file'],
    ['with a NUL', 'weights.bin\0.txt', 'has control characters in its name'],
    ['that is an address', '*/_ORT_MEM_ADDR_/*', ADDRESS],
    ['that is a native address', '*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*', ADDRESS],
  ])('%s', async (_, location, reason) => {
    const files = { 'weights.bin': WEIGHTS, 'é.bin': WEIGHTS, 'sub/weights.bin': WEIGHTS };
    for (const extra of ['none', 'ZipMap']) {
      const address = location.includes('ADDR') ? { offset: '4096', length: '8' } : {};
      const inference = serve({ ...files, 'model.onnx': withData(location, address, extra) });
      expect(await reasonOf(inference)).toBe(`${JSON.stringify(location)} ${reason}`);
    }
  });

  it('whose name is not text', async () => {
    const model = withData(Uint8Array.of(0x77, 0xff));
    expect(await reasonOf(serve({ 'model.onnx': model }))).toBe(
      '"w\uFFFD" has a name that is not valid UTF-8',
    );
  });

  it.each([
    [{ offset: '4' }, 'offset "4" and length "8"'],
    [{ offset: '9', length: '0' }, 'offset "9" and length "0"'],
    [{ length: '12' }, 'offset "0" and length "12"'],
    [{ offset: '-4', length: '8' }, 'offset "-4" and length "8"'],
    [{ offset: '18446744073709551612', length: '8' }, 'offset "18446744073709551612" and length "8"'],
    [{ offset: '0x0', length: '8' }, 'offset "0x0" and length "8"'],
  ])('that does not have the bytes of %j', async (entries, said) => {
    const model = withData('weights.bin', { length: '8', ...entries });
    expect(await reasonOf(serve({ 'model.onnx': model, 'weights.bin': WEIGHTS }))).toBe(
      `"weights.bin" has 8 bytes, but its tensor "w" should be at ${said}`,
    );
  });

  it.each([
    ['a link that leads out', 'out.bin', LEADS_OUT],
    ['below a link that leads out', 'away/w.bin', LEADS_OUT],
    ['a pipe', 'pipe', 'is not a regular file'],
    ['a device', 'zero', 'is not a regular file'],
  ])('that is %s', async (_, location, reason) => {
    const folder = await makeFolder({ 'outside/w.bin': WEIGHTS });
    await writeFiles(folder, { 'models/m/1/model.onnx': withData(location) });
    const version = join(folder, 'models/m/1');
    await symlink(join(folder, 'outside/w.bin'), join(version, 'out.bin'));
    await symlink(join(folder, 'outside'), join(version, 'away'));
    await symlink('/dev/zero', join(version, 'zero'));
    execFileSync('mkfifo', [join(version, 'pipe')]);
    const { inference } = makeInference(join(folder, 'models'));
    expect(await reasonOf(Promise.resolve(inference))).toBe(`${JSON.stringify(location)} ${reason}`);
  });

  it('but not one that a link in the folder of the model leads to', async () => {
    const folder = await makeFolder({ 'm/1/model.onnx': withData('w.bin'), 'm/1/blobs/b': WEIGHTS });
    await symlink('blobs/b', join(folder, 'm/1/w.bin'));
    const output = await inferOutput(makeInference(folder).inference, tensorsInput([[1, 2]]));
    expect(output.kind === 'tensors' && [...(output.tensors.get('y')?.data ?? [])]).toEqual([11, 22]);
  });
});

describe('a model without inputs', () => {
  it('runs on nothing', async () => {
    const model = buildModel({
      nodes: [buildNode('Identity', ['w'], ['y'])],
      inputs: [],
      outputs: [tensorValue('y', FLOAT, [2])],
      initializers: [externalInitializer('w', 'weights.data')],
    });
    const inference = await serve({ 'model.onnx': model, 'weights.data': WEIGHTS });
    const reference = { name: 'm', version: '1' };
    const { outputs } = await inferTensors(inference, { reference, inputs: new Map(), outputs: undefined });
    expect([...(outputs.get('y')?.data ?? [])]).toEqual([10, 20]);
  });
});
