import type { Context } from 'hono';
import * as z from 'zod/mini';
import { jsonAnswer } from '../../answers/answer.ts';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import { isJsonObject } from '../../json/json-value.ts';
import { ACCEPTED_IMAGE_TYPES } from '../../processing/image/decode/sniff.ts';
import { holdsTexts } from '../../values/text-value.ts';
import { holdsJson, isTaskRequest } from '../body/json-body.ts';
import { type Dialect, type Invocation, readInvocation } from '../invocation.ts';
import { addLoad, lookAtModel } from '../look-at-model.ts';
import {
  type Content,
  jsonContent,
  type Operation,
  type Protocol,
  type ProtocolOptions,
  type SchemaMaker,
} from '../operation.ts';
import { decodeBody } from './decode.ts';
import { encodeResult } from './encode.ts';

const REQUEST: Content = {
  'application/json': async () => (await import('./schemas.ts')).predictRequest(),
  'multipart/form-data': async () => (await import('./schemas.ts')).predictForm(),
  ...Object.fromEntries(ACCEPTED_IMAGE_TYPES.map((type) => [type, null])),
  'text/plain': null,
};

/** Hugging Face, which has the same route. */
interface Neighbour {
  readonly invoke: Dialect;
  /** The form of its answers. */
  readonly response: SchemaMaker;
}

/** Ternion's own protocol: features or an image in, a prediction with its probabilities out. */
export function createPredictProtocol(options: ProtocolOptions, huggingFace: Neighbour): Protocol {
  const { config } = options;
  const response = jsonContent(async () => {
    const { predictResponse } = await import('./schemas.ts');
    const isShared = config.protocols.includes('hugging-face');
    return isShared ? z.union([predictResponse(), await huggingFace.response()]) : predictResponse();
  });

  async function predict(c: Context<AppEnvironment>): Promise<Answer> {
    const model = c.req.param('model');
    const version = c.req.param('version');
    const given = await readInvocation(c, options, { model, version });
    const chosen = chooseFormat(given, options);
    const { isForHuggingFace, invocation, loadMs } = chosen instanceof Promise ? await chosen : chosen;
    const answer = isForHuggingFace ? huggingFace.invoke(invocation, options) : predictBody(invocation);
    const protocol = isForHuggingFace ? 'hugging-face' : 'ternion';
    return { protocol, ...addLoad(await answer, loadMs) };
  }

  async function predictBody(invocation: Invocation): Promise<Answer> {
    const read = decodeBody(invocation, config.limits);
    const body = read instanceof Promise ? await read : read;
    const choice = { ...invocation.choice, kind: body.value.input.kind };
    const { value, usage } = await options.inference.use(choice, invocation, (used) =>
      body.bind(async ({ input }) => ({
        output: await used.predict(input),
        form: used.contract.answering(['ternion']).form,
      })),
    );
    return { response: jsonAnswer(encodeResult(body.value, value, usage, config), config), usage };
  }

  const operation = (path: string, summary: string): Operation => ({
    method: 'POST',
    path,
    summary,
    request: REQUEST,
    response,
    handle: predict,
  });
  return {
    name: 'ternion',
    description: "Ternion's own protocol.",
    operations: [
      operation('/predict', 'Predict with the default model'),
      operation('/models/{model}/predict', "Predict with a model's live version"),
      operation('/models/{model}/versions/{version}/predict', 'Predict with one version of a model'),
    ],
  };
}

/** Which server a request is for, with the request for further processing: its model may have been looked up. */
interface ChosenFormat {
  readonly isForHuggingFace: boolean;
  readonly invocation: Invocation;
  /** Milliseconds until the model could be asked. */
  readonly loadMs?: number;
}

/**
 * Hugging Face has the same route: `inputs` are meant for it if they are a text, texts for a text model, or come
 * with `parameters`.
 */
function chooseFormat(
  invocation: Invocation,
  { config: { dialect, protocols }, inference }: ProtocolOptions,
): ChosenFormat | Promise<ChosenFormat> {
  const isServed = protocols.includes('hugging-face');
  if (dialect === 'hugging-face' || !isServed || !holdsJson(invocation)) {
    return { isForHuggingFace: isServed && dialect === 'hugging-face', invocation };
  }
  const json = invocation.json();
  if (!isJsonObject(json) || !Object.hasOwn(json, 'inputs')) {
    return { isForHuggingFace: isJsonObject(json) && Object.hasOwn(json, 'table'), invocation };
  }
  if (isTaskRequest(json) || !holdsTexts(json.inputs)) {
    return { isForHuggingFace: isTaskRequest(json), invocation };
  }
  return lookAtModel(invocation, inference, 'tensors').then(({ contract, ...asked }) => ({
    isForHuggingFace: contract.textInput !== undefined,
    ...asked,
  }));
}
