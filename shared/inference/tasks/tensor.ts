import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import type { Label } from '../../processing/classification.ts';
import type { NamedTensors, Session, TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { parseNested } from '../../tensor/nested.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { expectInput, type FieldValue } from '../../values/input.ts';
import { fitShape } from '../../values/named-inputs.ts';
import { runBatch } from '../run-batch.ts';
import { defineTask, type TaskRunner } from '../task.ts';
import { labels } from './members.ts';

/** The task of a model without further information: tensors in and tensors out, by the names in the graph. */
export const tensor = defineTask({
  name: 'tensor',
  members: { labels },
  kind: 'tensors',
  gives: 'tensors',
  bind: (config, { session }) => createTensorRunner(session, config.labels),
});

/** Runs a graph on tensors by the names of its inputs. */
export function createTensorRunner(model: Session, labels: readonly Label[] | undefined): TaskRunner {
  return {
    labels,
    infer: async (input, run, budget) => {
      const feeds = readFeeds(expectInput(input, 'tensors').tensors, model.inputs, budget.limits);
      return { kind: 'tensors', tensors: await run(feeds, { layout: 'whole' }) };
    },
    warmUp: async (session) => await findExample(session),
  };
}

/**
 * Most elements of all made-up inputs together: a longer example costs more than anything else, and nobody would read
 * it.
 */
const LARGEST_EXAMPLE = 2 ** 14;
/** The same if shorter ones are refused: too long for an example, but it shows that the model answers. */
const LARGEST_TRIED = 2 ** 18;
/** Sizes for open axes, tried one after the other: images and signals must be large enough for their filters. */
const OPEN_SIZES = [1, 8, 16, 32, 64, 128];

/**
 * The first made-up inputs that the graph accepts, as the body of a predict request: zeros, with open axes as short as
 * possible.
 *
 * @throws what the first run threw, when all fail
 */
async function findExample(session: Session): Promise<JsonObject | undefined> {
  const { inputs } = session;
  const isOpen = inputs.some(({ shape, batchAxis }) =>
    shape.some((size, axis) => size === -1 && axis !== batchAxis),
  );
  const problems: unknown[] = [];
  for (const size of isOpen ? OPEN_SIZES : OPEN_SIZES.slice(0, 1)) {
    const feeds = makeZeros(inputs, size, problems.length > 0 ? LARGEST_TRIED : LARGEST_EXAMPLE);
    if (!feeds) break;
    try {
      await runBatch(session, feeds, { layout: 'whole' });
      if ([...feeds.values()].reduce((total, { data }) => total + data.length, 0) > LARGEST_EXAMPLE)
        return undefined;
      return { inputs: Object.fromEntries([...feeds].map(([name, tensor]) => [name, nestedZeros(tensor)])) };
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
  return undefined;
}

/**
 * Zeros for all inputs of a graph.
 *
 * @param openSize size of each open axis that does not count instances; axes that do have size 1
 * @returns undefined if that is more than `most` elements
 */
export function makeZeros(
  inputs: readonly TensorSpec[],
  openSize: number,
  most: number,
): NamedTensors | undefined {
  const shapes = inputs.map(({ shape, batchAxis }) =>
    shape.map((size, axis) => (size !== -1 ? size : axis === batchAxis ? 1 : openSize)),
  );
  if (shapes.reduce((total, shape) => total + elementCount(shape), 0) > most) return undefined;
  return new Map(
    inputs.map(({ name, datatype }, index) => {
      const shape = shapes[index] ?? [];
      return [name, { datatype, shape, data: DATATYPES[datatype].allocate(elementCount(shape)) }];
    }),
  );
}

function nestedZeros({ datatype, shape }: Pick<Tensor, 'datatype' | 'shape'>): JsonValue {
  const element = datatype === 'BYTES' ? '' : datatype === 'BOOL' ? false : 0;
  return shape.reduceRight<JsonValue>((value, size) => new Array<JsonValue>(size).fill(value), element);
}

/**
 * The inputs of a graph on Ternion's own route, by their names.
 *
 * @throws InferenceError naming the input, what came and what is expected
 */
export function readFeeds(
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
      return [spec.name, { ...feed, shape: fitShape(feed, spec, `Field "${options.field}"`) }];
    }),
  );
}
