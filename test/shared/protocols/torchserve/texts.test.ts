import { expect, it } from 'vitest';
import { parseConfig } from '../../../../shared/config.ts';
import { decodeTexts } from '../../../../shared/protocols/torchserve/decode.ts';

const { limits } = parseConfig({});
const textInput = { name: 'text', isPrepared: true, takesPairs: false };
const decode = (value: Uint8Array) => decodeTexts([{ value, field: 'data' }], textInput, limits);

it('texts that come as bytes are in UTF-8', () => {
  expect(decode(Buffer.from('é€'))).toEqual([{ value: 'é€', field: 'data' }]);
  expect(() => decode(Buffer.from('é', 'latin1'))).toThrow(
    'Field "data" is bytes that are not UTF-8; expected a text.',
  );
});
