import * as z from 'zod/mini';
import type { DialectName } from '../../config.ts';
import { jsonArray, jsonObject, jsonValue } from '../body/envelope.ts';
import { chooseTarget, readDeployment } from '../headers/target.ts';
import { type Dialect, readInvocation, type SharedRoutes } from '../invocation.ts';
import { addLoad } from '../look-at-model.ts';
import type { Content, ProtocolOptions } from '../operation.ts';
import { detectFormat } from './detect-format.ts';
import { createPingOperation } from './ping.ts';

const jsonRequest = z
  .looseObject({
    instances: z
      .optional(jsonArray)
      .register(z.globalRegistry, { description: 'Instances one after the other.' }),
    inputs: z.optional(jsonValue).register(z.globalRegistry, {
      description: 'Whole inputs; tensors of the Open Inference Protocol; or a text.',
    }),
    dataframe_split: z
      .optional(jsonObject)
      .register(z.globalRegistry, { description: 'A table of pandas in the orientation "split".' }),
    dataframe_records: z
      .optional(jsonArray)
      .register(z.globalRegistry, { description: 'A table of pandas in the orientation "records".' }),
    input_data: z
      .optional(jsonValue)
      .register(z.globalRegistry, { description: 'A table or tensors for an endpoint of Azure ML.' }),
    Inputs: z.optional(jsonObject).register(z.globalRegistry, {
      description: 'Rows for a service of AutoML or of the designer of Azure ML.',
    }),
    examples: z
      .optional(jsonArray)
      .register(z.globalRegistry, { description: 'Examples to classify or to regress.' }),
    table: z
      .optional(jsonObject)
      .register(z.globalRegistry, { description: 'A table for a pipeline of Hugging Face.' }),
    data: z.optional(jsonValue).register(z.globalRegistry, { description: 'Rows, or an image in base64.' }),
  })
  .register(z.globalRegistry, {
    description: 'Exactly one of these members; a bare list of numbers is accepted too.',
  });

/** The requests of the shared routes. The body and its type show the format. */
const INVOCATION_REQUEST: Content = {
  'application/json': jsonRequest,
  'application/jsonlines': null,
  'text/csv': null,
  'text/libsvm': null,
  'application/x-npy': null,
  'application/x-npz': null,
  'image/*': null,
  'multipart/form-data': null,
  'text/plain': null,
};

/** The answers of the shared routes. The format of the request and its Accept header decide. */
const INVOCATION_RESPONSE: Content = {
  'application/json': z.unknown().register(z.globalRegistry, {
    description: '`{"predictions": [...]}` for rows and tables, a bare list otherwise.',
  }),
  'application/jsonlines': null,
  'text/csv': null,
  'application/x-npy': null,
  'application/x-npz': null,
};

/**
 * Routes that several servers have, such as `/invocations`: a request is answered in the format that `DIALECT` names, or
 * in the one that its headers and body show.
 *
 * @param dialects the formats to choose from
 */
export function createSharedRoutes(
  options: ProtocolOptions,
  dialects: Readonly<Record<DialectName, Dialect>>,
): SharedRoutes {
  const { dialect } = options.config;
  const invoke: Dialect = async (invocation) => {
    const found =
      dialect === undefined ? await detectFormat(invocation, options) : { dialect, invocation, loadMs: 0 };
    const answer = await dialects[found.dialect](found.invocation, options);
    return { protocol: found.dialect, ...addLoad(answer, found.loadMs) };
  };
  const answer: SharedRoutes['answer'] = async (c, choice) => {
    const { headers } = c.req.raw;
    const target = chooseTarget(headers, { version: readDeployment(headers), ...choice });
    return await invoke(await readInvocation(c, options, target), options);
  };
  return {
    invoke,
    answer,
    ping: createPingOperation(options),
    request: INVOCATION_REQUEST,
    response: INVOCATION_RESPONSE,
    invocations: {
      method: 'POST',
      path: '/invocations',
      summary: 'Run the default model on a body in the format of any server',
      query: {
        model_name: z
          .optional(z.string())
          .register(z.globalRegistry, { description: 'The model, if there are several.' }),
      },
      request: INVOCATION_REQUEST,
      response: INVOCATION_RESPONSE,
      handle: (c) => answer(c, { model: c.req.query('model_name') }),
    },
  };
}
