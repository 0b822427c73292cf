import { describe, expect, it, onTestFinished } from 'vitest';
import { renameLocales } from '../../../shared/onnx/locales.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import { createSession } from '../../../shared/runtime/session.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  identityModel,
  STRING,
  tensorValue,
  textAttribute,
} from '../../support/build-model.ts';
import { inMemory } from '../../support/in-memory.ts';

const inLocale = (locale: readonly Uint8Array[]) =>
  buildModel({
    nodes: [
      buildNode('StringNormalizer', ['x'], ['y'], {
        attributes: [textAttribute('case_change_action', 'LOWER'), ...locale],
      }),
    ],
    inputs: [tensorValue('x', STRING, ['n'])],
    outputs: [tensorValue('y', STRING, ['n'])],
  });

const renamed = (model: Uint8Array) => rewriteModel(bytesSource(model), [renameLocales]);

async function lower(model: Uint8Array, texts: readonly string[]) {
  const session = await createSession(inMemory(model), { intraOpThreads: 1 });
  onTestFinished(() => session.release());
  const x = { datatype: 'BYTES' as const, shape: [texts.length], data: [...texts] };
  return (await session.run(new Map([['x', x]]))).get('y')?.data;
}

describe('renameLocales', () => {
  it.each([
    ['names none', []],
    ['names one that no host has', [textAttribute('locale', 'xx_XX.UTF-8')]],
  ])('lets a graph convert all of Unicode to lower case that %s', async (_, locale) => {
    const texts = ['GUT', 'ÄRGER', 'ЖУК', 'ΛΟΓΟΙ', '東京', 'straße'];
    expect(await lower(renamed(inLocale(locale)), texts)).toEqual(texts.map((text) => text.toLowerCase()));
  });

  it('is needed for a locale that the host lacks', async () => {
    const model = inLocale([textAttribute('locale', 'xx_XX.UTF-8')]);
    await expect(lower(model, ['A'])).rejects.toThrow(/construct locale/);
  });

  it('leaves any other graph as it is', () => {
    const model = identityModel(FLOAT, ['n']);
    expect(Buffer.compare(renamed(model), model)).toBe(0);
  });
});
