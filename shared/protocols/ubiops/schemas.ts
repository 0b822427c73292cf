import * as z from 'zod';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

const SECONDS = 'expected a whole number from 1 to 3600';

export const requestQuery = {
  timeout: lazily(() =>
    z.coerce
      .number(SECONDS)
      .int(SECONDS)
      .min(1, SECONDS)
      .max(3600, SECONDS)
      .default(300)
      .describe('Seconds the request may take.'),
  ),
  priority: lazily(() =>
    z
      .enum(['0', '1'], 'expected 0 or 1')
      .optional()
      .describe('0 for high, 1 for standard priority; requests are answered as they come.'),
  ),
};

export const requestSettings = lazily(() =>
  z.object({ timeout: requestQuery.timeout(), priority: requestQuery.priority() }),
);

export const fieldsRequest = lazily(() =>
  z
    .union([jsonObject, z.array(jsonValue), z.string()])
    .describe(
      'Input fields by name: inputs or features of the model, or a text. A list of these is answered with a list.',
    ),
);

export const runResponse = lazily(() =>
  z.object({
    id: z.string(),
    deployment: z.string().describe('Name of the model.'),
    version: z.string(),
    status: z.enum(['completed', 'failed']),
    success: z.boolean(),
    result: jsonValue.describe(
      'Outputs by name, a list of these for a list of requests, null after a failure.',
    ),
    error_message: z.string().nullable(),
    timeout: z.number(),
  }),
);
