import * as z from 'zod';
import { jsonArray, jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

/** The four forms of data; a request has exactly one of them. */
export const DATA_KEYS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

export const scoringRequest = lazily(() =>
  z
    .looseObject({
      dataframe_split: jsonValue
        .optional()
        .describe('A table as pandas writes "split": {"columns": [...], "data": [[...]]}.'),
      dataframe_records: jsonValue
        .optional()
        .describe('A table as pandas writes "records": one object per row.'),
      instances: jsonArray
        .optional()
        .describe('Instances one after the other: values, or objects by input or column.'),
      inputs: jsonValue
        .optional()
        .describe('Whole inputs: the value of the only one, or an object with one list per input or column.'),
      params: jsonObject.nullable().optional().describe('Accepted; models of ONNX take none.'),
    })
    .describe(`Exactly one of ${DATA_KEYS.join(', ')}.`),
);

export const scoringResponse = lazily(() => z.object({ predictions: z.unknown() }));
