import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { InferenceOutput, InputKind, Located } from '../../inference/input.ts';
import type { Decoder } from '../../inference/task.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/parse-json.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { topK } from '../../processing/classification.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import { answerStyle, jsonAnswer } from '../codecs/answer.ts';
import { writeScore } from '../codecs/best-labels.ts';
import { decodeImageValue, findImage } from '../codecs/image-value.ts';
import { contractOf, type ModelContract } from '../codecs/model-contract.ts';
import { nameScores } from '../codecs/name-scores.ts';
import { encodeColumns, encodePredictions, encodeRows } from '../codecs/predictions.ts';
import { checkInstances } from '../codecs/rows.ts';
import { type Dialect, type Invocation, openModel, runTask, runTensors } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { decodeValues } from './decode-values.ts';
import { type Payload, type Payloads, readPayloads } from './read-payloads.ts';

const TOP = 5;

/** One request with the model it goes to. */
interface Call extends Payloads {
  readonly invocation: Invocation;
  readonly options: ProtocolOptions;
  readonly contract: ModelContract;
  readonly decoder: Decoder | undefined;
}

/**
 * What TorchServe's handlers answer. An image gets its five best labels with their probabilities, in descending order;
 * several images get a list of that. Rows of features get a list of predictions, tensors get nested lists. Under
 * `instances`, which is KServe's envelope, the answers stand under `predictions`.
 * Source: image_classifier.py, vision_handler.py and base_handler.py of TorchServe.
 */
export const invokeTorchServe: Dialect = async (invocation, options) => {
  return await readPayloads(invocation, async (request) => {
    const { model, version, seen } = await openModel(invocation, options, kindOf(request), (found) => ({
      contract: contractOf(found),
      decoder: found.task.decoder,
    }));
    const call = { ...request, ...seen, invocation: { ...invocation, model, version }, options };
    const answer = await answerCall(call);
    return jsonAnswer(request.isEnvelope ? { predictions: answer } : answer, options.config);
  });
};

async function answerCall(call: Call): Promise<WritableJson> {
  if (call.contract.imageInput !== undefined) return await answerImages(call, call.contract.imageInput);
  if (call.contract.kind === 'text') return await answerTexts(call);
  return call.decoder === undefined ? await answerTensors(call) : await answerRows(call);
}

/** What a request without a model's name is looked at for. */
function kindOf({ payloads: [first] }: Payloads): InputKind {
  const value = Array.isArray(first?.value) ? first.value[0] : first?.value;
  return value instanceof Uint8Array || findImage(value, 'image') !== undefined ? 'image' : 'features';
}

async function answerImages(call: Call, inputName: string): Promise<WritableJson> {
  const { payloads, invocation, options, isBatch, decoder } = call;
  const [first] = payloads;
  const isPixels = first && readImages(first, inputName) === undefined;
  if (isPixels && decoder) return await answerPixels(call, decoder);
  checkInstances(countItems(payloads), first?.field ?? 'data', options.config.limits);
  const images = payloads
    .flatMap((payload) => readImages(payload, inputName) ?? [payload])
    .map(({ value, field }): Located<Uint8Array> => {
      const isFile = value instanceof Uint8Array;
      return { value: isFile ? value : decodeImageValue(value, inputName, field), field };
    });
  const { output } = await runTask(invocation, options, { kind: 'image', images });
  return unlist(encodeScores(output, styleOf(options)), isBatch || Array.isArray(first?.value));
}

/** The images a payload holds: itself or a list of them; undefined for lists of numbers, which are pixels. */
function readImages({ value, field }: Payload, inputName: string): readonly Payload[] | undefined {
  if (!Array.isArray(value)) return [{ value, field }];
  if (findImage(value[0], inputName) === undefined) return undefined;
  return value.map((item, index) => ({ value: item, field: `${field}[${index}]` }));
}

/** Numbers are the input of the graph as it is: they go past the preprocessing. */
async function answerPixels(call: Call, decoder: Decoder): Promise<WritableJson> {
  const { invocation, options, contract, isBatch } = call;
  const { inputs, areInstances } = decodeValues(call, contract, options.config.limits);
  const result = await runTensors(invocation, options, {
    kind: 'image',
    decode: () => inputs,
    isBatch: true,
    outputs: decoder.fetches,
  });
  const [first] = result.outputs.values();
  const output = decoder.decode(result.outputs, { rows: first?.shape[0] ?? 0, feeds: new Map() });
  return unlist(encodeScores(output, styleOf(options)), isBatch || !areInstances);
}

/** How many items payloads hold. They are counted before each is given its place in the request. */
function countItems(payloads: readonly Payload[]): number {
  return payloads.reduce((count, { value }) => count + (Array.isArray(value) ? value.length : 1), 0);
}

/** A text each, or a list of them. Source: text_classifier.py of TorchServe. */
async function answerTexts(call: Call): Promise<WritableJson> {
  const { payloads, invocation, options, isBatch } = call;
  const field = payloads[0]?.field ?? 'data';
  checkInstances(countItems(payloads), field, options.config.limits);
  const texts = payloads.flatMap(({ value, field }) =>
    Array.isArray(value)
      ? value.map((item, index) => readText(item, `${field}[${index}]`))
      : [readText(value, field)],
  );
  if (texts.length === 0) throw invalid(`Field "${field}" is empty; expected at least one text.`);
  const { output } = await runTask(invocation, options, { kind: 'text', texts });
  return unlist(encodeScores(output, styleOf(options)), isBatch || Array.isArray(payloads[0]?.value));
}

function readText(value: Payload['value'], field: string): Located<string> {
  if (typeof value === 'string') return { value, field };
  if (value instanceof Uint8Array) {
    return { value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(), field };
  }
  throw invalid(`Field "${field}" is ${describeJson(value)}; expected a text.`);
}

/** The best labels with their probabilities; other outputs as they are. */
function encodeScores(output: InferenceOutput, style: ElementStyle): readonly WritableJson[] {
  if (output.kind !== 'classification') return encodePredictions(output, style);
  return output.predictions.map(({ scores }) =>
    nameScores(topK(scores, TOP), output.labels, scores, (score) => writeScore(score, style)),
  );
}

async function answerRows({ payloads, invocation, options }: Call): Promise<WritableJson> {
  const rows = payloads.flatMap((payload) => readRows(payload, options.config.limits));
  const { output } = await runTask(invocation, options, { kind: 'features', rows });
  return encodePredictions(output, styleOf(options));
}

/** A payload is one row, or a list of them. */
function readRows({ value, field }: Payload, limits: Limits): Located<JsonValue>[] {
  if (value instanceof Uint8Array) {
    throw invalid(`Field "${field}" is no JSON; this model takes features, as {"data": [...]}.`);
  }
  if (!Array.isArray(value) || !(Array.isArray(value[0]) || isJsonObject(value[0])))
    return [{ value, field }];
  checkInstances(value.length, field, limits);
  return value.map((row, index) => ({ value: row, field: `${field}[${index}]` }));
}

async function answerTensors(call: Call): Promise<WritableJson> {
  const { invocation, options, contract, isBatch } = call;
  const { inputs, areInstances } = decodeValues(call, contract, options.config.limits);
  const { outputs } = await runTensors(invocation, options, {
    kind: 'tensors',
    decode: () => inputs,
    isBatch: areInstances,
  });
  const style = styleOf(options);
  return areInstances ? unlist(encodeRows(outputs, style), isBatch) : encodeColumns(outputs, style);
}

/** As Python writes numbers, which is what TorchServe's handlers are written in. */
function styleOf({ config }: ProtocolOptions): ElementStyle {
  return { ...answerStyle(config), isFloatMarked: true };
}

function unlist(items: readonly WritableJson[], isList: boolean): WritableJson {
  return isList ? items : items[0];
}
