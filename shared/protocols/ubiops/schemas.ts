import * as z from 'zod/mini';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

/** @param most seconds that UbiOps takes */
const timeout = (most: number) => {
  const expected = `expected a whole number from 1 to ${most}`;
  return z.coerce.number(expected).check(z.int(expected), z.minimum(1, expected), z.maximum(most, expected));
};

const priority = lazily(() =>
  z.optional(z.enum(['0', '1'], 'expected 0 or 1')).register(z.globalRegistry, {
    description: '0 for high, 1 for standard priority; requests are answered as they come.',
  }),
);

const TIMEOUT = 'Seconds the request may take.';

export const requestQuery = {
  timeout: lazily(() => z._default(timeout(3600), 300).register(z.globalRegistry, { description: TIMEOUT })),
  priority,
};

export const pipelineQuery = {
  timeout: lazily(() =>
    z.optional(timeout(7200)).register(z.globalRegistry, { description: `${TIMEOUT} 3600 by default.` }),
  ),
  pipeline_timeout: lazily(() =>
    z
      ._default(timeout(7200), 3600)
      .register(z.globalRegistry, { description: 'The older name of `timeout`.' }),
  ),
  priority,
};

export const requestSettings = lazily(() =>
  z.object({ timeout: requestQuery.timeout(), priority: priority() }),
);

export const pipelineSettings = lazily(() =>
  z.pipe(
    z.object({
      timeout: pipelineQuery.timeout(),
      pipeline_timeout: pipelineQuery.pipeline_timeout(),
      priority: priority(),
    }),
    z.transform(({ timeout, pipeline_timeout }) => ({ timeout: timeout ?? pipeline_timeout })),
  ),
);

export const fieldsRequest = lazily(() =>
  z.union([jsonObject, z.array(jsonValue), z.string()]).register(z.globalRegistry, {
    description:
      'Input fields by name: inputs or features of the model, or a text. A list of these is answered with a list.',
  }),
);

const run = lazily(() =>
  z.object({
    id: z.string(),
    version: z.string(),
    status: z.enum(['completed', 'failed']),
    success: z.boolean(),
    result: jsonValue.clone().register(z.globalRegistry, {
      description: 'Outputs by name, a list of these for a list of requests, null after a failure.',
    }),
    error_message: z.nullable(z.string()),
  }),
);

export const runResponse = lazily(() =>
  z.extend(run(), {
    deployment: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
    timeout: z.number(),
  }),
);

const nothing = z
  .array(z.never())
  .register(z.globalRegistry, { description: 'Always empty: requests are not stored.' });

export const pipelineResponse = lazily(() =>
  z.extend(run(), {
    pipeline: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
    pipeline_timeout: z.number(),
    deployment_requests: nothing,
    operator_requests: nothing,
    pipeline_requests: nothing,
  }),
);

export const statusResponse = lazily(() => z.object({ status: z.literal('ok') }));

const labels = lazily(() =>
  z.object({}).register(z.globalRegistry, { description: 'Models have no labels.' }),
);
const started = z.string().register(z.globalRegistry, { description: 'When this instance started.' });

export const projectResponse = lazily(() =>
  z.object({
    id: z.string(),
    name: z.string(),
    creation_date: started,
    organization_name: z.string(),
    labels: labels(),
    suspended: z.literal(false),
  }),
);

export const projectsResponse = lazily(() => z.array(projectResponse()).check(z.length(1)));

export const labelsQuery = {
  labels: lazily(() =>
    z.optional(z.string()).register(z.globalRegistry, {
      description: 'Models have no labels: with this filter the list is empty.',
    }),
  ),
};

const fields = lazily(() =>
  z.array(
    z.object({
      name: z.string(),
      data_type: z.string().register(z.globalRegistry, {
        description: 'Type of the field for one instance, such as "double" or "array_double".',
      }),
    }),
  ),
);

const listed = lazily(() =>
  z.object({
    id: z.string(),
    name: z
      .string()
      .register(z.globalRegistry, { description: 'Name of a model, or one of ENDPOINT_MODELS.' }),
    project: z.string(),
    description: z.string(),
    input_type: z.literal('structured'),
    output_type: z.literal('structured'),
    input_fields: fields()
      .clone()
      .register(z.globalRegistry, { description: 'Empty in a list, because a list loads no model.' }),
    output_fields: fields(),
    supports_request_format: z.literal(true),
    labels: labels(),
    creation_date: started,
    last_updated: started,
  }),
);

export const listResponse = lazily(() => z.array(listed()));

export const detailResponse = lazily(() =>
  z.extend(listed(), {
    default_version: z.string().register(z.globalRegistry, { description: 'The version that answers.' }),
  }),
);

export const versionResponse = lazily(() =>
  z.looseObject({
    id: z.string(),
    version: z.string(),
    default: z
      .boolean()
      .register(z.globalRegistry, { description: 'Whether it answers requests without a version.' }),
    labels: labels(),
    creation_date: started,
    last_updated: started,
  }),
);

export const versionsResponse = lazily(() => z.array(versionResponse()));
