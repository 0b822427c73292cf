import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import type { Label } from '../../processing/classification.ts';
import type { NamedTensors, Session, TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { parseNested } from '../../tensor/nested.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { expectInput, type FieldValue } from '../../values/input.ts';
import { checkShape } from '../../values/named-inputs.ts';
import { runBatch } from '../run-batch.ts';
import { defineTask, type TaskRunner } from '../task.ts';
import { labels } from './members.ts';

/** The task of a model that says nothing of itself: tensors in and tensors out, by the names in the graph. */
export const tensor = defineTask({
  name: 'tensor',
  members: { labels },
  kind: 'tensors',
  gives: 'tensors',
  bind: (config, { session }) => createRunner(session, config.labels),
});

function createRunner(model: Session, labels: readonly Label[] | undefined): TaskRunner {
  return {
    labels,
    example: exampleOf(model.inputs),
    infer: async (input, run, budget) => {
      const feeds = parseFeeds(expectInput(input, 'tensors').tensors, model.inputs, budget.limits);
      return { kind: 'tensors', tensors: await run(feeds, { layout: 'whole' }) };
    },
    warmUp: async (session) => {
      // Whole numbers can be axes, counts and indices, and some operators never end on those that make no sense.
      const isPlainData = model.inputs.every(({ datatype }) => DATATYPES[datatype].kind === 'float');
      if (!isPlainData || countElements(model.inputs) > LARGEST_EXAMPLE) return;
      const feeds = new Map(model.inputs.map((spec) => [spec.name, zeros(spec)]));
      await runBatch(session, feeds, { layout: 'whole' });
    },
  };
}

/** Most elements of made-up inputs, all together. */
const LARGEST_EXAMPLE = 4096;

function countElements(specs: readonly TensorSpec[]): number {
  return specs.reduce((total, { shape }) => total + elementCount(shape.map((size) => Math.max(size, 1))), 0);
}

/** None for large inputs: an example nobody would read costs more than all the rest. */
function exampleOf(specs: readonly TensorSpec[]): JsonObject | undefined {
  if (countElements(specs) > LARGEST_EXAMPLE) return undefined;
  return { inputs: Object.fromEntries(specs.map((spec) => [spec.name, nestedZeros(spec)])) };
}

function parseFeeds(
  { value, field }: FieldValue<JsonValue>,
  specs: readonly TensorSpec[],
  limits: Limits,
): NamedTensors {
  const names = specs.map(({ name }) => `"${name}"`).join(', ') || 'none';
  const [only] = specs;
  const byName = Array.isArray(value) && only && specs.length === 1 ? { [only.name]: value } : value;
  if (!isJsonObject(byName)) {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(value)}; expected an object with the inputs ${names}.`,
    );
  }
  const unknown = Object.keys(byName).find((key) => !specs.some(({ name }) => name === key));
  if (unknown !== undefined) {
    throw invalid(
      `Field "${field}"`,
      `has an unknown input ${JSON.stringify(unknown.slice(0, 100))}; the inputs are: ${names}.`,
    );
  }
  return new Map(
    specs.map((spec) => {
      const given = Object.hasOwn(byName, spec.name) ? byName[spec.name] : undefined;
      if (given === undefined)
        throw invalid(`Field "${field}"`, `lacks the input "${spec.name}"; the inputs are: ${names}.`);
      const options = { field: `${field}.${spec.name}`, elementLimit: limits.tensorElements };
      const feed = parseNested(given, spec.datatype, options);
      checkShape(feed, spec, `Field "${options.field}"`);
      return [spec.name, feed];
    }),
  );
}

function zeros({ datatype, shape }: TensorSpec): Tensor {
  const fixed = shape.map((size) => Math.max(size, 1));
  return { datatype, shape: fixed, data: DATATYPES[datatype].allocate(elementCount(fixed)) };
}

function nestedZeros({ datatype, shape }: TensorSpec): JsonValue {
  const element = datatype === 'BYTES' ? '' : datatype === 'BOOL' ? false : 0;
  return shape.reduceRight<JsonValue>(
    (value, size) => new Array<JsonValue>(Math.max(size, 1)).fill(value),
    element,
  );
}
