import * as z from 'zod/mini';
import { ERROR_KINDS } from '../errors.ts';

const kinds = Object.values(ERROR_KINDS);

/** The object that `errorResponse` writes, for the description of the API. */
export const errorObject = z
  .object({
    error: z.string().register(z.globalRegistry, {
      description: 'What was wrong: the field, what came and what is expected.',
    }),
    error_code: z
      .enum(Object.keys(ERROR_KINDS))
      .register(z.globalRegistry, { description: 'The kind of error, for programs.' }),
    code: z
      .literal([...new Set(kinds.map(({ status }) => status))])
      .register(z.globalRegistry, { description: 'The HTTP status.' }),
    type: z
      .enum([...new Set(kinds.map(({ type }) => type))])
      .register(z.globalRegistry, { description: 'Name of an exception, for clients of TorchServe.' }),
    message: z
      .string()
      .register(z.globalRegistry, { description: 'The same as `error`, for clients that look here.' }),
    error_message: z
      .string()
      .register(z.globalRegistry, { description: 'The same as `error`, for clients that look here.' }),
    request_id: z
      .string()
      .register(z.globalRegistry, { description: 'Also in the header `x-request-id` and in the log.' }),
  })
  .register(z.globalRegistry, { id: 'Error', description: 'One object for the clients of all protocols.' });
