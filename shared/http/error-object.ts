import * as z from 'zod';
import { ERROR_KINDS } from '../errors.ts';

const kinds = Object.values(ERROR_KINDS);

/** The object that `errorResponse` writes, for the description of the API. */
export const errorObject = z
  .object({
    error: z.string().describe('What was wrong: the field, what came and what is expected.'),
    error_code: z.enum(Object.keys(ERROR_KINDS)).describe('The kind of error, for programs.'),
    code: z.literal([...new Set(kinds.map(({ status }) => status))]).describe('The HTTP status.'),
    type: z
      .enum([...new Set(kinds.map(({ type }) => type))])
      .describe('Name of an exception, for clients of TorchServe.'),
    message: z.string().describe('The same as `error`, for clients that look here.'),
    error_message: z.string().describe('The same as `error`, for clients that look here.'),
    request_id: z.string().describe('Also in the header `x-request-id` and in the log.'),
  })
  .meta({ id: 'Error', description: 'One object for the clients of all protocols.' });
