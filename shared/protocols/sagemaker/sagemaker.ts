import * as z from 'zod';
import { InferenceError } from '../../errors.ts';
import { jsonResponse } from '../../http/respond.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import type { SharedRoutes } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { encodeRuntimeError } from './encode-error.ts';

/** Calls of SageMaker's runtime that a host without storage and streams has nothing behind. */
const UNSUPPORTED = [
  '/endpoints/{endpoint}/async-invocations',
  '/endpoints/{endpoint}/invocations-response-stream',
];

const MEBIBYTE = 1024 * 1024;
/** Most that batch transform lets a request have. */
const LARGEST_PAYLOAD_MB = 100;

const header = (text: string) => z.string().optional().describe(text);

/** What SageMaker's clients say in headers. */
const HEADERS = {
  'X-Amzn-SageMaker-Target-Model': header('The model, as the archive of a multi-model endpoint.'),
  'X-Amzn-SageMaker-Inference-Component': header('The model, as a component of an endpoint.'),
  'X-Amzn-SageMaker-Target-Variant': header('The version of the model.'),
  'X-Amzn-SageMaker-Custom-Attributes': header(
    'For the TensorFlow Serving container: tfs-model-name, tfs-model-version and tfs-method.',
  ),
} as const;

/**
 * SageMaker from both sides: the routes of its containers, and those its SDKs call. An endpoint stands for the model of
 * its name.
 * Sources: SageMaker's developer guide (containers for hosting and for batch transform, multi-model endpoints), the
 * service model of sagemaker-runtime.
 */
export function createSageMakerProtocol(options: ProtocolOptions, shared: SharedRoutes): Protocol {
  return {
    name: 'sagemaker',
    description: "Amazon SageMaker: its containers' routes and the runtime that its SDKs call.",
    operations: [
      shared.ping,
      shared.invocations,
      createMultiModelInvoke(shared),
      createBatchParameters(options),
      ...createRuntimeOperations(options, shared),
    ],
  };
}

function createMultiModelInvoke(shared: SharedRoutes): Operation {
  return {
    method: 'POST',
    path: '/models/{model}/invoke',
    summary: 'Run one model of a multi-model container',
    request: shared.request,
    response: shared.response,
    handle: (c) => shared.answer(c, { model: c.req.param('model') }),
  };
}

/** What batch transform asks a container before it sends records: many in one request, one request after the other. */
function createBatchParameters({ config }: ProtocolOptions): Operation {
  const megabytes = Math.floor(config.limits.bodyBytes / MEBIBYTE);
  return {
    method: 'GET',
    path: '/execution-parameters',
    summary: 'How batch transform shall send its records',
    response: {
      'application/json': z.object({
        MaxConcurrentTransforms: z.number(),
        BatchStrategy: z.enum(['MULTI_RECORD', 'SINGLE_RECORD']),
        MaxPayloadInMB: z.number(),
      }),
    },
    handle: () =>
      jsonResponse({
        MaxConcurrentTransforms: 1,
        BatchStrategy: 'MULTI_RECORD',
        MaxPayloadInMB: Math.min(Math.max(megabytes, 1), LARGEST_PAYLOAD_MB),
      }),
  };
}

function createRuntimeOperations(options: ProtocolOptions, shared: SharedRoutes): readonly Operation[] {
  return [
    {
      method: 'POST',
      path: '/endpoints/{endpoint}/invocations',
      summary: 'Run the model behind an endpoint, as the SDKs of AWS do',
      // Only here: what the containers answer is read by SageMaker itself, or by any other client.
      encodeError: encodeRuntimeError,
      headers: HEADERS,
      request: shared.request,
      response: shared.response,
      handle: async (c) => {
        const choice = modelOfEndpoint(c.req.param('endpoint') ?? '', options.config);
        if (c.req.header('x-amzn-sagemaker-enable-explanations') !== undefined)
          throw unsupported('Explanations');
        const answer = await shared.answer(c, choice);
        const { headers } = answer.response;
        headers.set('x-amzn-invoked-production-variant', answer.usage?.reference.version ?? '');
        headers.set('x-amzn-requestid', c.env.context.requestId);
        return answer;
      },
    },
    ...UNSUPPORTED.map(
      (path): Operation => ({
        method: 'ALL',
        path,
        encodeError: encodeRuntimeError,
        handle: () => {
          throw unsupported('Asynchronous and streamed answers');
        },
      }),
    ),
  ];
}

function unsupported(what: string): InferenceError {
  return new InferenceError(
    'NOT_IMPLEMENTED',
    `${what} are not supported here; POST /endpoints/{endpoint}/invocations answers at once.`,
  );
}
