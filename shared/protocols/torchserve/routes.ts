import type { Context } from 'hono';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { encodeColumns, encodePredictions, encodeRows } from '../../answers/predictions.ts';
import type { Limits } from '../../config.ts';
import { InferenceError } from '../../errors.ts';
import { BytesRequest } from '../../http/bytes.ts';
import type { AppEnvironment } from '../../http/context.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import type { Postprocessor } from '../../inference/task.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import type { TextInput } from '../../values/contract.ts';
import { jsonObject } from '../body/envelope.ts';
import { type Dialect, readInvocation, type SharedRoutes } from '../invocation.ts';
import type { Handler, Operation, Protocol, ProtocolOptions } from '../operation.ts';
import {
  decodeImages,
  decodeTexts,
  decodeValues,
  holdsPixels,
  kindOf,
  type Payloads,
  readPayloads,
  readRows,
} from './decode.ts';
import { encodeScores, unlist } from './encode.ts';
import { createManagementOperations } from './management.ts';
import { predictionRequest, predictionResponse } from './schemas.ts';

/** `curl -T` sends its file with PUT, which TorchServe's own examples use. */
const METHODS = ['POST', 'PUT'] as const;

const EXPLANATIONS = ['/explanations/{model}', '/explanations/{model}/{version}'];

/**
 * TorchServe's inference and management interfaces, with the answers of the handlers it comes with.
 * Source: TorchServe's inference_api.md, management_api.md and default_handlers.md.
 */
export function createTorchServeProtocol(options: ProtocolOptions, shared: SharedRoutes): Protocol {
  const handle = async (c: Context<AppEnvironment>) => {
    const choice = { model: c.req.param('model'), version: c.req.param('version') };
    return await invokeTorchServe(await readInvocation(c, options, choice), options);
  };
  const predict = (path: string, summary: string) =>
    METHODS.map(
      (method): Operation => ({
        method,
        path,
        summary,
        request: {
          'application/json': predictionRequest,
          'image/*': null,
          'multipart/form-data': null,
          'application/x-www-form-urlencoded': null,
        },
        response: { 'application/json': predictionResponse },
        handle,
      }),
    );
  return {
    name: 'torchserve',
    description: "TorchServe's interfaces for inference and management.",
    operations: [
      shared.ping,
      ...predict('/predictions/{model}', "Predict with a model's live version"),
      ...predict('/predictions/{model}/{version}', 'Predict with one version of a model'),
      ...EXPLANATIONS.map((path): Operation => ({ method: 'ALL', path, handle: refuseExplanation })),
      ...(options.config.docs ? createDescriptionOperations() : []),
      ...createManagementOperations(options),
      // Last: they would match the routes of other protocols.
      ...predict('/{model}/predict', "Predict with a model's live version").map(asLegacy),
      ...predict('/{model}/{version}/predict', 'Predict with one version of a model').map(asLegacy),
    ],
  };
}

/**
 * The description of the API: the same as that of this server. Source: ApiDescriptionRequestHandler.java of TorchServe.
 */
function createDescriptionOperations(): readonly Operation[] {
  const handle: Handler = async (c) => {
    const { url, headers } = c.req.raw;
    const description = new URL('/openapi.json', url);
    const request = new BytesRequest(description.href, { method: 'GET', headers }, new Uint8Array(0));
    return await c.env.forward(request);
  };
  return [
    {
      method: 'GET',
      path: '/api-description',
      summary: 'Get the description of this API, as GET /openapi.json does',
      response: { 'application/json': jsonObject },
      handle,
    },
    { method: 'OPTIONS', path: '/', isLegacy: true, handle },
    { method: 'OPTIONS', path: '/api-description', isLegacy: true, handle },
  ];
}

/** For older clients; new ones have no need of it. */
function asLegacy(operation: Operation): Operation {
  return { ...operation, isLegacy: true };
}

function refuseExplanation(): never {
  throw new InferenceError('NOT_IMPLEMENTED', 'Explanations are not supported; use /predictions/{model}.');
}

/** One request with the model it goes to. */
interface ModelPayloads extends Payloads {
  readonly used: ModelUse;
  readonly limits: Limits;
  readonly style: ElementStyle;
}

/**
 * The answers of TorchServe's handlers. An image gets its five best labels with their probabilities, in descending
 * order; several images get a list of these. Rows of features get a list of predictions, tensors get nested lists.
 * Under `instances`, which is KServe's envelope, the answers are under `predictions`. Source: image_classifier.py,
 * vision_handler.py and base_handler.py of TorchServe.
 */
export const invokeTorchServe: Dialect = async (invocation, options) => {
  const { config, inference } = options;
  const payloads = await readPayloads(invocation);
  const choice = { ...invocation.choice, kind: kindOf(payloads.value) };
  // Numbers as Python writes them, because TorchServe's handlers are written in Python.
  const style = { ...answerStyle(config), isFloatMarked: true };
  const { value, usage } = await inference.use(choice, invocation, (used) =>
    payloads.bind((request) => answerPayloads({ ...request, used, limits: config.limits, style })),
  );
  const body = payloads.value.isEnvelope ? { predictions: value } : value;
  return { response: jsonAnswer(body, config), usage };
};

async function answerPayloads(request: ModelPayloads): Promise<WritableJson> {
  const { contract, model } = request.used;
  if (contract.imageInput !== undefined) return await answerImages(request, contract.imageInput);
  if (contract.textInput !== undefined) return await answerTexts(request, contract.textInput);
  return model.task.postprocessor === undefined ? await answerTensors(request) : await answerRows(request);
}

async function answerImages(request: ModelPayloads, inputName: string): Promise<WritableJson> {
  const { payloads, used, limits, style, isBatch } = request;
  const { postprocessor } = used.model.task;
  if (postprocessor && holdsPixels(request, inputName)) return await answerPixels(request, postprocessor);
  const images = decodeImages(payloads, inputName, limits);
  const output = await used.predict({ kind: 'image', images });
  return unlist(encodeScores(output, style), isBatch || Array.isArray(payloads[0]?.value));
}

/** Numbers are the input of the graph itself: they skip the preprocessing. */
async function answerPixels(
  request: ModelPayloads,
  { fetches, postprocess }: Postprocessor,
): Promise<WritableJson> {
  const { used, limits, style, isBatch } = request;
  const { inputs, areInstances } = decodeValues(request, used.contract, limits);
  const outputs = await used.run(inputs, { layout: areInstances ? 'instances' : 'batch', outputs: fetches });
  const [first] = outputs.values();
  const output = postprocess(outputs, { rows: first?.shape[0] ?? 0, feeds: new Map() });
  return unlist(encodeScores(output, style), isBatch || !areInstances);
}

/** A text or a pair each, or a list of them. Source: text_classifier.py of TorchServe. */
async function answerTexts(request: ModelPayloads, textInput: TextInput): Promise<WritableJson> {
  const { payloads, used, limits, style, isBatch } = request;
  const output = await used.predict({ kind: 'text', texts: decodeTexts(payloads, textInput, limits) });
  return unlist(encodeScores(output, style), isBatch || Array.isArray(payloads[0]?.value));
}

async function answerRows({ payloads, used, limits, style }: ModelPayloads): Promise<WritableJson> {
  const rows = payloads.flatMap((payload) => readRows(payload, limits));
  const { form } = used.contract.answering(['torchserve']);
  return encodePredictions(await used.predict({ kind: 'features', rows }), style, form);
}

async function answerTensors(request: ModelPayloads): Promise<WritableJson> {
  const { used, limits, style, isBatch } = request;
  const { inputs, areInstances } = decodeValues(request, used.contract, limits);
  const outputs = await used.run(inputs, { layout: areInstances ? 'instances' : 'whole' });
  return areInstances ? unlist(encodeRows(outputs, style), isBatch) : encodeColumns(outputs, style);
}
