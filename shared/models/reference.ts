import * as z from 'zod/mini';
import type { JsonValue } from '../json/json-value.ts';
import { checkFile, parseJsonFile } from './formats/format-folder.ts';

/**
 * JSON.parse only returns JSON values. Zod's own schema for them walks through all values, which took longer than
 * reading the file.
 */
const json = z.custom<JsonValue>((value) => value !== undefined);

const referenceSchema = z.object({
  cases: z.array(
    z.object({
      /** Body of a predict request. */
      request: z.record(z.string(), json),
      /** Members of the answer as the training framework gives them; which ones depends on the task. */
      expected: z.looseObject({
        prediction: z.optional(json),
        probabilities: z.optional(z.record(z.string(), z.number())),
      }),
    }),
  ),
});

const FILE = 'reference.json';

export type ReferenceCase = z.infer<typeof referenceSchema>['cases'][number];

/**
 * Reads the text of a `reference.json`: requests with the answers that the training framework gives.
 *
 * @throws ModelError naming each field that is wrong
 */
export async function parseReference(text: string): Promise<ReferenceCase[]> {
  return (await parseJsonFile(text, FILE, referenceSchema)).cases;
}

/**
 * The first of them, without a look at the others, of which there may be hundreds: each start reads one.
 *
 * @throws ModelError naming each field of it that is wrong
 */
export async function parseFirstCase(text: string): Promise<ReferenceCase | undefined> {
  const { cases } = await parseJsonFile(text, FILE, z.object({ cases: z.array(z.unknown()) }));
  return (await checkFile({ cases: cases.slice(0, 1) }, FILE, referenceSchema)).cases[0];
}
