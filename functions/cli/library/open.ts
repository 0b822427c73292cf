import type { InferenceError } from '../../../shared/errors.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { HeaderList } from '../../../shared/http/header-list.ts';
import { isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { prepareOwnCode } from '../../../shared/own-requests.ts';
import { type OwnCode, PredictError } from '../../../shared/processors/own-code.ts';
import type { InputKind } from '../../../shared/values/input.ts';
import { createContext, requestUrl } from '../../host.ts';
import { findModel, look } from '../find-model.ts';

/**
 * The models of a project by what `open` gets, with what each one takes and gives. `ternion types` writes its members.
 */
// biome-ignore lint/suspicious/noEmptyInterface: projects add members to it
export interface Models {}

/** What `predict` takes of any model: a row as list or object, a text, the bytes of an image, or tensors by name. */
export type ModelInput = string | Uint8Array | readonly unknown[] | { readonly [key: string]: unknown };

/** A prediction as `POST /models/{model}/predict` answers it, without the name of the model. */
export type ModelPrediction = { readonly [key: string]: JsonValue };

/** A model in this process. */
export interface OpenModel<Input = ModelInput, Prediction = ModelPrediction> {
  readonly name: string;
  readonly version: string;
  /**
   * Predicts one instance, as `POST /models/{model}/predict` does.
   *
   * @throws PredictError with the message that a client would get
   */
  readonly predict: (input: Input) => Promise<Prediction>;
  /** Predicts several instances together, in their order. */
  readonly predictBatch: (inputs: readonly Input[]) => Promise<Prediction[]>;
  /** Frees it. */
  readonly close: () => Promise<void>;
}

export interface OpenOptions extends Pick<OwnCode, 'processors'> {
  /** Where a model that is named is looked for; by default MODEL_REPOSITORY, else `models`. */
  readonly repository?: string;
}

type InputOf<Known> = Known extends { readonly input: infer Input } ? Input : ModelInput;
type PredictionOf<Known> = Known extends { readonly prediction: infer Prediction }
  ? Prediction
  : ModelPrediction;

/**
 * Opens a model in this process, to call it without HTTP.
 *
 * @param model the path of a file or folder, or `name`, `name/version` or `name@alias` of the repository
 * @throws CommandError, InferenceError saying what is wrong with it
 */
export async function open<Model extends keyof Models | (string & {})>(
  model: Model,
  options?: OpenOptions,
): Promise<
  Model extends keyof Models ? OpenModel<InputOf<Models[Model]>, PredictionOf<Models[Model]>> : OpenModel
>;
export async function open(model: string, { repository, processors }: OpenOptions = {}): Promise<OpenModel> {
  const own = processors && prepareOwnCode({ processors });
  const found = await findModel(model, repository, undefined, own);
  const { app, reference } = found;
  const kind = await look(found, ({ contract }) => contract.kind);
  const path = `/models/${reference.name}/versions/${reference.version}/predict`;

  async function ask(body: object): Promise<{ [key: string]: JsonValue }> {
    const headers = new HeaderList({ 'content-type': 'application/json' });
    const request = new BytesRequest(
      requestUrl(path),
      { method: 'POST', headers },
      Buffer.from(JSON.stringify(body)),
    );
    let cause: InferenceError | undefined;
    const onError = (error: InferenceError) => (cause = error);
    const response = await app.fetch(request, createContext(headers, undefined, { onError }));
    const answer: JsonValue = JSON.parse(await response.text());
    if (!isJsonObject(answer)) throw new Error('an answer is always an object');
    if (response.ok) return answer;
    throw new PredictError(String(answer.error), response.status, String(answer.error_code), {
      cause: cause?.cause,
    });
  }

  return {
    ...reference,
    predict: async (input) => {
      const {
        model: _,
        model_version: __,
        inference_time_ms: ___,
        ...prediction
      } = await ask(bodyOf(input, kind));
      return prediction;
    },
    predictBatch: async (inputs) => {
      if (inputs.length === 0) return [];
      const { predictions } = await ask({ instances: inputs.map((input) => bodyOf(input, kind)) });
      if (!Array.isArray(predictions)) throw new Error('the answer to instances is a list');
      return predictions.filter(isJsonObject);
    },
    close: () => app.close(),
  };
}

/** The names of inputs in a predict request. */
const MEMBERS: Readonly<Record<InputKind, string>> = {
  features: 'features',
  text: 'text',
  image: 'image',
  tensors: 'inputs',
};

/** The body of a predict request for one instance. */
function bodyOf(input: ModelInput, kind: InputKind): object {
  if (input instanceof Uint8Array) return { image: Buffer.from(input).toString('base64') };
  // A pair has the names that a request has.
  if (kind === 'text' && typeof input !== 'string') return input;
  return { [MEMBERS[kind]]: input };
}
