import { jsonAnswer } from '../../answers/answer.ts';
import { invalid } from '../../errors.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { Used } from '../../inference/inference.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { type WritableJson, writeItems } from '../../json/write-json.ts';
import { type Dialect, type Invocation, runWith } from '../invocation.ts';
import { choiceOf, type Operation, type Protocol, type ProtocolOptions } from '../operation.ts';
import { MODEL_PATH, type V1Operations } from '../v1/routes.ts';
import { readExamples, toInput } from './decode.ts';
import { encodeMetadata, numberWriter } from './encode.ts';
import { classifyResponse, examplesRequest, metadataResponse, regressResponse } from './schemas.ts';

/** Ways to name a model: its live version, one version, or the version an alias stands for. */
const MODEL_PATHS = [MODEL_PATH, `${MODEL_PATH}/versions/{version}`, `${MODEL_PATH}/labels/{label}`];

/**
 * The REST interface of TensorFlow Serving. As there, paths match in any case and no Content-Type is needed. For a
 * wrong method or a version that is not a number TensorFlow Serving answers 400; the answers here are 405 and 404,
 * because versions can have names. Source: TensorFlow Serving's api_rest.md and http_rest_api_handler.cc.
 */
export function createTensorFlowServingProtocol(options: ProtocolOptions, v1: V1Operations): Protocol {
  return {
    name: 'tensorflow-serving',
    description: 'The REST interface of TensorFlow Serving.',
    operations: MODEL_PATHS.flatMap((path) => createModelOperations(path, options, v1)),
  };
}

function createModelOperations(
  path: string,
  options: ProtocolOptions,
  v1: V1Operations,
): readonly Operation[] {
  return [
    v1.status(path),
    {
      method: 'GET',
      path: `${path}/metadata`,
      summary: 'Get the inputs and outputs of a model as a signature',
      response: { 'application/json': metadataResponse },
      handle: async (c) => {
        const { value, usage } = await options.inference.use(choiceOf(c), c.env, ({ model }) =>
          encodeMetadata(model),
        );
        return { response: jsonResponse(value), usage };
      },
    },
    v1.predict(path),
    {
      method: 'POST',
      path: `${path}:classify`,
      summary: 'Classify examples',
      request: { 'application/json': examplesRequest },
      response: { 'application/json': classifyResponse },
      handle: runWith(classify, options),
    },
    {
      method: 'POST',
      path: `${path}:regress`,
      summary: 'Regress examples',
      request: { 'application/json': examplesRequest },
      response: { 'application/json': regressResponse },
      handle: runWith(regress, options),
    },
  ];
}

/** Classify of TensorFlow Serving: for each example, all labels with their scores. */
export const classify: Dialect = async (invocation, options) => {
  const { value: output, usage } = await runExamples(invocation, options);
  if (output.kind !== 'classification')
    throw invalid('This model is not a classifier; use :predict or :regress.');
  const { labels } = output;
  const write = numberWriter(options);
  const results = writeItems(
    output.predictions,
    ({ scores }) =>
      Array.from(scores, (score, index): WritableJson => [String(labels[index] ?? ''), write(score)]),
    options.config.limits.answerBytes,
  );
  return { response: jsonAnswer({ results }, options.config), usage };
};

/** Regress of TensorFlow Serving: one number for each example. */
export const regress: Dialect = async (invocation, options) => {
  const { value: output, usage } = await runExamples(invocation, options);
  if (output.kind !== 'regression')
    throw invalid('This model is not a regressor; use :predict or :classify.');
  const write = numberWriter(options);
  const results = output.predictions.map((prediction) => {
    if (typeof prediction === 'number') return write(prediction);
    throw invalid(`This model predicts ${prediction.length} numbers for each example; use :predict.`);
  });
  return { response: jsonAnswer({ results }, options.config), usage };
};

async function runExamples(
  invocation: Invocation,
  { inference, config }: ProtocolOptions,
): Promise<Used<InferenceOutput>> {
  const reading = readExamples(invocation, config.limits);
  return await inference.use({ ...invocation.choice, kind: 'features' }, invocation, (model) => {
    if (model.contract.kind === 'tensors') {
      throw invalid('This model is neither a classifier nor a regressor; use :predict.');
    }
    return reading.bind((examples) => model.predict(toInput(examples, model.contract)));
  });
}
