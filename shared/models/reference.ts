import * as z from 'zod';
import type { JsonValue } from '../json/json-value.ts';
import { parseJsonFile } from './formats/format-folder.ts';

/** What JSON.parse gave is JSON: zod's own schema for it would walk through all values, and took longer than the file. */
const json = z.custom<JsonValue>((value) => value !== undefined);

const referenceSchema = z.object({
  cases: z.array(
    z.object({
      /** Body of a predict request. */
      request: z.record(z.string(), json),
      /** Members of the answer as the training framework has them: which there are depends on the task. */
      expected: z.looseObject({
        prediction: json.optional(),
        probabilities: z.record(z.string(), z.number()).optional(),
      }),
    }),
  ),
});

export type ReferenceCase = z.infer<typeof referenceSchema>['cases'][number];

/**
 * Reads the text of a `reference.json`: requests with the answers the training framework gives.
 *
 * @throws ModelError naming each field that is wrong
 */
export function parseReference(text: string): ReferenceCase[] {
  return parseJsonFile(text, 'reference.json', referenceSchema).cases;
}
