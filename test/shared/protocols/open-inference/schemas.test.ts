import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferRequest, inferResponse } from '../../../../shared/protocols/open-inference/schemas.ts';
import { post } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';

/** Why a request of a good form is refused: because of what the model takes, and of what the elements are. */
const REASONS_OF_CONTENT = [
  /^There is no (?:input|output) /,
  /is missing; the model takes/,
  /is given twice|is requested twice/,
  /has the datatype \w+; expected/,
  /has the shape \[.*\]; expected \[/,
  /elements; its shape/,
  /is ragged/,
  /^Element \d+ of /,
  /has both "data" and "binary_data_size"/,
  // A text is the only element of BYTES, and nothing else.
  /has the data the string/,
];

/**
 * Compares schema and server: both refuse the same requests for their form. The server reports the first mistake that it
 * meets, which can be one of content before one of form.
 */
async function compare(host: TestHost, path: string, body: unknown): Promise<void> {
  const answer = await host.send(post(path, body));
  const json = JSON.parse(answer.body.toString());
  const isOfContent = REASONS_OF_CONTENT.some((reason) => reason.test(json.error));
  const hasForm = inferRequest().safeParse(body).success;
  const reason = `${JSON.stringify(body)}: ${json.error}`;
  expect(answer.status, reason).toBe(hasForm && !isOfContent ? 200 : 400);
  if (answer.status === 200) expect(inferResponse().safeParse(json).error).toBeUndefined();
}

const oneOf = (...values: unknown[]) => fc.constantFrom<unknown>(...values);

const tensor = fc.record(
  {
    name: oneOf('features', 'features', 'features', 'x', 3, null),
    datatype: oneOf('FP32', 'FP32', 'FP64', 'INT32', 'BYTES', 'FLOAT', null),
    shape: oneOf([1, 4], [1, 4], [1, 4], [4], [], [-1], [1.5], ['4'], 4, null),
    data: oneOf([1, 2, 3, 4], [1, 2, 3, 4], [[1, 2, 3, 4]], [1, [2]], [], ['a'], 'a', 7, {}, null),
    parameters: oneOf({}, null, { content_type: 'base64' }, [], 'x'),
  },
  { requiredKeys: [] },
);

const bodies = fc.oneof(
  fc.record(
    {
      id: oneOf('a', null, 7),
      inputs: fc.oneof(fc.array(tensor, { minLength: 1, maxLength: 2 }), oneOf({}, null, 'x')),
      outputs: oneOf(
        [],
        null,
        {},
        [{ name: 'logits' }],
        [{ name: 7 }],
        [{ name: 'logits', parameters: { classification: 2 } }],
        [{ name: 'logits', parameters: { classification: -1 } }],
        [{ name: 'logits', parameters: { binary_data: 'no' } }],
      ),
      parameters: oneOf({}, null, [], { binary_data_output: false }, { binary_data_output: 1 }),
    },
    { requiredKeys: [] },
  ),
  oneOf([], null, 7, 'x'),
);

describe('the schema of inference requests', () => {
  it('and the decoder agree on the form of any request', async () => {
    const app = openApp();
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        await compare(app, '/v2/models/iris/infer', body);
        answered += inferRequest().safeParse(body).success ? 1 : 0;
      }),
      { numRuns: 3000, seed: 11 },
    );
    expect(answered).toBeGreaterThan(50);
    await app.close();
  });
});
