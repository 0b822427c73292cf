import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { writeScore } from '../../answers/best-labels.ts';
import { nameScores } from '../../answers/name-scores.ts';
import { encodeColumns, encodePredictions, encodeRows } from '../../answers/predictions.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import type { Postprocessor } from '../../inference/task.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { topK } from '../../processing/classification.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import { decodeImageValue, findImage } from '../../values/image-value.ts';
import type { InputKind, Located } from '../../values/input.ts';
import { checkInstances } from '../../values/instances.ts';
import type { Dialect } from '../invocation.ts';
import { decodeValues } from './decode-values.ts';
import { type Payload, type Payloads, readPayloads } from './read-payloads.ts';

const TOP = 5;

/** One request with the model it goes to. */
interface Call extends Payloads {
  readonly model: ModelUse;
  readonly limits: Limits;
  readonly style: ElementStyle;
}

/**
 * What TorchServe's handlers answer. An image gets its five best labels with their probabilities, in descending order;
 * several images get a list of that. Rows of features get a list of predictions, tensors get nested lists. Under
 * `instances`, which is KServe's envelope, the answers stand under `predictions`.
 * Source: image_classifier.py, vision_handler.py and base_handler.py of TorchServe.
 */
export const invokeTorchServe: Dialect = async (invocation, options) => {
  const { config, inference } = options;
  const payloads = await readPayloads(invocation);
  const choice = { ...invocation.choice, kind: kindOf(payloads.value) };
  // As Python writes numbers, which is what TorchServe's handlers are written in.
  const style = { ...answerStyle(config), isFloatMarked: true };
  const { value, usage } = await inference.use(choice, invocation, (model) =>
    payloads.bind((request) => answerCall({ ...request, model, limits: config.limits, style })),
  );
  const body = payloads.value.isEnvelope ? { predictions: value } : value;
  return { response: jsonAnswer(body, config), usage };
};

async function answerCall(call: Call): Promise<WritableJson> {
  const { contract, model } = call.model;
  if (contract.imageInput !== undefined) return await answerImages(call, contract.imageInput);
  if (contract.kind === 'text') return await answerTexts(call);
  return model.task.postprocessor === undefined ? await answerTensors(call) : await answerRows(call);
}

/** What a request without a model's name is looked at for. */
function kindOf({ payloads: [first] }: Payloads): InputKind {
  const value = Array.isArray(first?.value) ? first.value[0] : first?.value;
  return value instanceof Uint8Array || findImage(value, 'image') !== undefined ? 'image' : 'features';
}

async function answerImages(call: Call, inputName: string): Promise<WritableJson> {
  const { payloads, model, limits, style, isBatch } = call;
  const { postprocessor } = model.model.task;
  const [first] = payloads;
  const isPixels = first && readImages(first, inputName) === undefined;
  if (isPixels && postprocessor) return await answerPixels(call, postprocessor);
  checkInstances(countItems(payloads), first?.field ?? 'data', limits);
  const images = payloads
    .flatMap((payload) => readImages(payload, inputName) ?? [payload])
    .map(({ value, field }): Located<Uint8Array> => {
      const isFile = value instanceof Uint8Array;
      return { value: isFile ? value : decodeImageValue(value, inputName, field), field };
    });
  const output = await model.predict({ kind: 'image', images });
  return unlist(encodeScores(output, style), isBatch || Array.isArray(first?.value));
}

/** The images a payload holds: itself or a list of them; undefined for lists of numbers, which are pixels. */
function readImages({ value, field }: Payload, inputName: string): readonly Payload[] | undefined {
  if (!Array.isArray(value)) return [{ value, field }];
  if (findImage(value[0], inputName) === undefined) return undefined;
  return value.map((item, index) => ({ value: item, field: `${field}[${index}]` }));
}

/** Numbers are the input of the graph as it is: they go past the preprocessing. */
async function answerPixels(call: Call, { fetches, postprocess }: Postprocessor): Promise<WritableJson> {
  const { model, limits, style, isBatch } = call;
  const { inputs, areInstances } = decodeValues(call, model.contract, limits);
  const outputs = await model.run(inputs, { isBatch: true, outputs: fetches });
  const [first] = outputs.values();
  const output = postprocess(outputs, { rows: first?.shape[0] ?? 0, feeds: new Map() });
  return unlist(encodeScores(output, style), isBatch || !areInstances);
}

/** How many items payloads hold. They are counted before each is given its place in the request. */
function countItems(payloads: readonly Payload[]): number {
  return payloads.reduce((count, { value }) => count + (Array.isArray(value) ? value.length : 1), 0);
}

/** A text each, or a list of them. Source: text_classifier.py of TorchServe. */
async function answerTexts(call: Call): Promise<WritableJson> {
  const { payloads, model, limits, style, isBatch } = call;
  const field = payloads[0]?.field ?? 'data';
  checkInstances(countItems(payloads), field, limits);
  const texts = payloads.flatMap(({ value, field }) =>
    Array.isArray(value)
      ? value.map((item, index) => readText(item, `${field}[${index}]`))
      : [readText(value, field)],
  );
  if (texts.length === 0) throw invalid(`Field "${field}"`, 'is empty; expected at least one text.');
  const output = await model.predict({ kind: 'text', texts });
  return unlist(encodeScores(output, style), isBatch || Array.isArray(payloads[0]?.value));
}

function readText(value: Payload['value'], field: string): Located<string> {
  if (typeof value === 'string') return { value, field };
  if (value instanceof Uint8Array) {
    return { value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(), field };
  }
  throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected a text.`);
}

/** The best labels with their probabilities; other outputs as they are. */
function encodeScores(output: InferenceOutput, style: ElementStyle): readonly WritableJson[] {
  if (output.kind !== 'classification') return encodePredictions(output, style);
  return output.predictions.map(({ scores }) =>
    nameScores(topK(scores, TOP), output.labels, scores, (score) => writeScore(score, style)),
  );
}

async function answerRows({ payloads, model, limits, style }: Call): Promise<WritableJson> {
  const rows = payloads.flatMap((payload) => readRows(payload, limits));
  return encodePredictions(await model.predict({ kind: 'features', rows }), style);
}

/** A payload is one row, or a list of them. */
function readRows({ value, field }: Payload, limits: Limits): Located<JsonValue>[] {
  if (value instanceof Uint8Array) {
    throw invalid(`Field "${field}"`, 'is no JSON; this model takes features, as {"data": [...]}.');
  }
  if (!Array.isArray(value) || !(Array.isArray(value[0]) || isJsonObject(value[0])))
    return [{ value, field }];
  checkInstances(value.length, field, limits);
  return value.map((row, index) => ({ value: row, field: `${field}[${index}]` }));
}

async function answerTensors(call: Call): Promise<WritableJson> {
  const { model, limits, style, isBatch } = call;
  const { inputs, areInstances } = decodeValues(call, model.contract, limits);
  const outputs = await model.run(inputs, { isBatch: areInstances });
  return areInstances ? unlist(encodeRows(outputs, style), isBatch) : encodeColumns(outputs, style);
}

function unlist(items: readonly WritableJson[], isList: boolean): WritableJson {
  return isList ? items : items[0];
}
