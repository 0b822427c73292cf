import type { Budget } from '../budget.ts';
import { InferenceError, invalid } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { parseJson } from '../json/parse-json.ts';
import { parseRequestJson } from '../json/request-json.ts';
import type { Takes } from '../processors/processor.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { expectInput, type FieldValue, type InferenceInput, type TextValue } from '../values/input.ts';
import { checkInstances } from '../values/instances.ts';
import {
  type BytesElement,
  expectElement,
  fitShape,
  isBytesInput,
  type NamedInputs,
  type TensorInput,
} from '../values/named-inputs.ts';
import { readImages } from './infer-tensors.ts';
import { readTexts } from './text-tensors.ts';

// What clients send to the first step of own code before a graph.

/**
 * The instances of a request on Ternion's own routes.
 *
 * @throws InferenceError for another kind of input than the step takes
 */
export function instancesOf(input: InferenceInput, takes: Takes): readonly FieldValue<unknown>[] {
  switch (takes) {
    case 'features':
      return expectInput(input, takes).rows;
    case 'image':
      return expectInput(input, takes).images;
    case 'text':
      return expectInput(input, takes).texts.map(toTextInstance);
  }
}

/** A pair has the names of transformers, as in requests. */
function toTextInstance({ value, field }: FieldValue<TextValue>): FieldValue<JsonValue> {
  return { value: typeof value === 'string' ? value : { text: value.text, text_pair: value.pair }, field };
}

/**
 * The instances in tensors, on the routes of other servers.
 *
 * @param spec the only input
 * @throws InferenceError naming the input or the instance, what came and what is expected
 */
export function readInstances(
  sent: NamedInputs,
  takes: Takes,
  spec: TensorSpec,
  budget: Budget,
): readonly FieldValue<unknown>[] {
  const { name } = spec;
  if (takes === 'text' && [...sent.values()].every(({ datatype }) => datatype === 'BYTES')) {
    return readTexts(sent, { name, takesPairs: true }, budget.limits).map(toTextInstance);
  }
  const input = sent.get(name);
  if (!input || sent.size > 1 || input.datatype !== 'BYTES') throw wrongInputs(sent, takes, name);
  if (takes === 'image') return readImages({ shape: input.shape, elements: elementsOf(input) }, name, budget);
  const [count = 0] = fitShape(input, spec, `Input "${name}"`);
  if (count === 0) throw invalid(`Input "${name}"`, 'has no instances.');
  checkInstances(count, name, budget.limits);
  // JSON of the request was counted when it was parsed.
  const isCounted = 'isJson' in input && input.isJson === true;
  return elementsOf(input).map((each, index) => {
    const element = expectElement(each, index, name);
    const bytes = typeof element === 'string' ? Buffer.from(element) : element;
    const field = `${name}[${index}]`;
    return { value: readJson(bytes, field, isCounted, budget), field };
  });
}

function wrongInputs(sent: NamedInputs, takes: Takes, name: string): InferenceError {
  const given = [...sent].map(([key, { datatype }]) => `${JSON.stringify(key.slice(0, 40))} (${datatype})`);
  const expected = `"${name}" (BYTES)${takes === 'features' ? ', or the columns of a data frame' : ''}`;
  return invalid(
    'The request',
    `has the inputs ${given.join(', ') || 'none'}; this model takes ${expected}.`,
  );
}

function elementsOf(input: TensorInput): readonly BytesElement[] {
  return isBytesInput(input) ? input.elements : Array.from(input.data, String);
}

function readJson(bytes: Uint8Array, field: string, isCounted: boolean, budget: Budget): JsonValue {
  const what = `Element "${field}"`;
  try {
    return isCounted
      ? parseJson(bytes, budget.limits.jsonDepth)
      : parseRequestJson(bytes, budget, { what, isPart: true });
  } catch (error) {
    if (!(error instanceof InferenceError) || error.code !== 'BAD_REQUEST') throw error;
    throw invalid(what, error.problem);
  }
}
