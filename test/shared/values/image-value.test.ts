import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeImageValue, findImage, isImageText } from '../../../shared/values/image-value.ts';
import { kindOfValues } from '../../../shared/values/instances.ts';
import { errorOf } from '../../support/error-of.ts';
import { PROJECT } from '../../support/project.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const B64 = PNG.toString('base64');

describe('an image in a value', () => {
  it.each([
    ['a text', B64],
    ["TensorFlow's object", { b64: B64 }],
    ["Vertex AI's instance", { content: B64, mimeType: 'image/png' }],
    ['an object in an object', { image_bytes: { b64: B64 } }],
    ["the model's own name", { pixels: B64 }],
  ])('is found in %s', (_, value) => {
    expect(Buffer.from(decodeImageValue(value, 'pixels', 'x'))).toEqual(PNG);
  });

  it.each([[[1, 2]], [{ b64: B64, image: B64 }], [{ colour: B64 }], [{ b64: 5 }], [5], [null]])(
    'is not found in %j',
    (value) => {
      expect(findImage(value, 'pixels')).toBeUndefined();
      expect(errorOf(() => decodeImageValue(value, 'pixels', 'x')).message).toMatch(
        /expected an image in base64/,
      );
    },
  );

  it.each([
    'http://10.0.0.1/x',
    'HTTPS://example.org',
    ' gs://bucket/7.png',
    's3://b/k',
    'ubiops-file://b/k',
  ])('is never fetched from %s', (address) => {
    const scheme = address.trim().split(':', 1)[0];
    expect(errorOf(() => decodeImageValue(address, 'pixels', 'inputs[1]')).message).toBe(
      `Field "inputs[1]" is an address (${scheme}://), which is not fetched; expected the image itself in base64.`,
    );
  });

  it('is distinguished from other texts by its first bytes', () => {
    expect(isImageText(B64)).toBe(true);
    expect(isImageText(`data:image/png;base64,${B64}`)).toBe(true);
    expect(['I like it', '', 'data:text/plain,x'].filter(isImageText)).toEqual([]);
  });
});

describe('values for a model that is not named', () => {
  it.each([
    [[B64], 'image'],
    [[{ b64: B64 }], 'image'],
    [{ picture: [B64] }, 'image'],
    [{ colour: ['red', 'blue'] }, 'features'],
    [{ picture: [B64], size: [1] }, 'features'],
    [[[1, 2]], 'features'],
    [{ x: [] }, 'features'],
    [undefined, 'features'],
  ])('%#: are of one kind at first sight', (value, kind) => {
    expect(kindOfValues(value)).toBe(kind);
  });
});
