import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { createInvocation } from '../../../../shared/protocols/invocation.ts';
import { readPayloads } from '../../../../shared/protocols/torchserve/decode.ts';
import { testContext } from '../../../support/test-context.ts';

/** The values that a form has for TorchServe; undefined where it is not taken for a form. */
async function valuesOf(text: string): Promise<unknown> {
  const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
  const body = Buffer.from(text, 'latin1');
  const request = new BytesRequest('http://localhost/', { method: 'POST', headers }, body);
  const { value } = await readPayloads(createInvocation(request, body, testContext(), {}));
  const { payloads } = value;
  return payloads.some(({ field }) => field === 'body' && !text.includes('body'))
    ? undefined
    : payloads.map((payload) => payload.value);
}

/** Values that can only be base64 get plus signs instead of spaces. */
const mend = (text: string) => (/^[\w+/= -]*$/.test(text) ? text.replaceAll(' ', '+') : text);

it('reads a form as URLSearchParams does', async () => {
  const pieces = fc.constantFrom(
    '&',
    '=',
    '%41',
    '%4',
    '%',
    '%zz',
    '%c3%a4',
    '%ff',
    'a',
    '!',
    'x',
    '.',
    '%20',
  );
  const value = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('data', 'd%61ta', 'body'), value, async (name, text) => {
      const form = `y=1&${name}=z${text}&data%3D=3`;
      const expected = new URLSearchParams(form);
      const key = expected.has('data') ? 'data' : 'body';
      expect(await valuesOf(form)).toEqual(expected.getAll(key).map(mend));
    }),
    { numRuns: 500 },
  );
});

it('turns spaces in base64 back into plus signs', async () => {
  expect(await valuesOf('data=aGk+IQ==&data=a+b%20c')).toEqual(['aGk+IQ==', 'a+b+c']);
  expect(await valuesOf('data=a+b!')).toEqual(['a b!']);
});
