import * as z from 'zod';
import { jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

/** @param most seconds that UbiOps takes */
const timeout = (most: number) => {
  const expected = `expected a whole number from 1 to ${most}`;
  return z.coerce.number(expected).int(expected).min(1, expected).max(most, expected);
};

const priority = lazily(() =>
  z
    .enum(['0', '1'], 'expected 0 or 1')
    .optional()
    .describe('0 for high, 1 for standard priority; requests are answered as they come.'),
);

const TIMEOUT = 'Seconds the request may take.';

export const requestQuery = {
  timeout: lazily(() => timeout(3600).default(300).describe(TIMEOUT)),
  priority,
};

export const pipelineQuery = {
  timeout: lazily(() => timeout(7200).optional().describe(`${TIMEOUT} 3600 by default.`)),
  pipeline_timeout: lazily(() => timeout(7200).default(3600).describe('The older name of `timeout`.')),
  priority,
};

export const requestSettings = lazily(() =>
  z.object({ timeout: requestQuery.timeout(), priority: priority() }),
);

export const pipelineSettings = lazily(() =>
  z
    .object({
      timeout: pipelineQuery.timeout(),
      pipeline_timeout: pipelineQuery.pipeline_timeout(),
      priority: priority(),
    })
    .transform(({ timeout, pipeline_timeout }) => ({ timeout: timeout ?? pipeline_timeout })),
);

export const fieldsRequest = lazily(() =>
  z
    .union([jsonObject, z.array(jsonValue), z.string()])
    .describe(
      'Input fields by name: inputs or features of the model, or a text. A list of these is answered with a list.',
    ),
);

const run = lazily(() =>
  z.object({
    id: z.string(),
    version: z.string(),
    status: z.enum(['completed', 'failed']),
    success: z.boolean(),
    result: jsonValue.describe(
      'Outputs by name, a list of these for a list of requests, null after a failure.',
    ),
    error_message: z.string().nullable(),
  }),
);

export const runResponse = lazily(() =>
  run().extend({ deployment: z.string().describe('Name of the model.'), timeout: z.number() }),
);

const nothing = z.array(z.never()).describe('Always empty: requests are not stored.');

export const pipelineResponse = lazily(() =>
  run().extend({
    pipeline: z.string().describe('Name of the model.'),
    pipeline_timeout: z.number(),
    deployment_requests: nothing,
    operator_requests: nothing,
    pipeline_requests: nothing,
  }),
);

export const statusResponse = lazily(() => z.object({ status: z.literal('ok') }));

const labels = lazily(() => z.object({}).describe('Models have no labels.'));
const started = z.string().describe('When this instance started.');

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

export const projectsResponse = lazily(() => z.array(projectResponse()).length(1));

export const labelsQuery = {
  labels: lazily(() =>
    z.string().optional().describe('Models have no labels: with this filter the list is empty.'),
  ),
};

const fields = lazily(() =>
  z.array(
    z.object({
      name: z.string(),
      data_type: z
        .string()
        .describe('Type of the field for one instance, such as "double" or "array_double".'),
    }),
  ),
);

const listed = lazily(() =>
  z.object({
    id: z.string(),
    name: z.string().describe('Name of a model, or one of ENDPOINT_MODELS.'),
    project: z.string(),
    description: z.string(),
    input_type: z.literal('structured'),
    output_type: z.literal('structured'),
    input_fields: fields().describe('Empty in a list, because a list loads no model.'),
    output_fields: fields(),
    supports_request_format: z.literal(true),
    labels: labels(),
    creation_date: started,
    last_updated: started,
  }),
);

export const listResponse = lazily(() => z.array(listed()));

export const detailResponse = lazily(() =>
  listed().extend({
    default_version: z.string().describe('The version that answers.'),
  }),
);

export const versionResponse = lazily(() =>
  z.looseObject({
    id: z.string(),
    version: z.string(),
    default: z.boolean().describe('Whether it answers requests without a version.'),
    labels: labels(),
    creation_date: started,
    last_updated: started,
  }),
);

export const versionsResponse = lazily(() => z.array(versionResponse()));
