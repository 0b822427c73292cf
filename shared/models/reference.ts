import * as z from 'zod/mini';
import type { JsonValue } from '../json/json-value.ts';
import { parseJsonFile } from './formats/format-folder.ts';

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

export type ReferenceCase = z.infer<typeof referenceSchema>['cases'][number];

/**
 * Reads the text of a `reference.json`: requests with the answers that the training framework gives.
 *
 * @throws ModelError naming each field that is wrong
 */
export function parseReference(text: string): ReferenceCase[] {
  return parseJsonFile(text, 'reference.json', referenceSchema).cases;
}
