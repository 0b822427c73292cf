import { describe, expect, it } from 'vitest';
import { expectInput, type InferenceInput } from '../../../shared/values/input.ts';
import { errorOf } from '../../support/error-of.ts';
import { imagesInput, rowsInput, tensorsInput, textsInput } from '../../support/make-inference.ts';

const INPUTS: Record<InferenceInput['kind'], InferenceInput> = {
  features: rowsInput([[1]]),
  image: imagesInput([Uint8Array.of(1)]),
  text: textsInput(['a']),
  tensors: tensorsInput({ x: 1 }),
};
const NAMES: Record<InferenceInput['kind'], string> = {
  features: 'features, as {"features": [...]}',
  image: 'an image, as a file or as {"image": "<base64>"}',
  text: 'text, as {"text": "..."}',
  tensors: 'tensors, as {"inputs": {...}}',
};
const KINDS = ['features', 'image', 'text', 'tensors'] as const;

describe('expectInput', () => {
  it.each(KINDS)('gives an input of the kind %s as it is', (kind) => {
    expect(expectInput(INPUTS[kind], kind)).toBe(INPUTS[kind]);
  });

  it.each(
    KINDS.flatMap((given) => KINDS.filter((kind) => kind !== given).map((kind) => [given, kind] as const)),
  )('says that %s came where the model takes %s', (given, wanted) => {
    const error = errorOf(() => expectInput(INPUTS[given], wanted));
    expect(error.status).toBe(400);
    expect(error.message).toBe(`The request brings ${NAMES[given]}; this model takes ${NAMES[wanted]}.`);
  });
});
