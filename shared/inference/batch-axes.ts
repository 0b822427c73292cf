import { convertsTables } from '../models/answer-forms.ts';
import type { Graph } from '../onnx/graph.ts';
import type { ValueInfo } from '../onnx/value-info.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';

/** Names that mark the axis of instances at any position. */
const BATCH_NAMES = /^(?:batch.*|.*batch(?:_?size)?)$/i;
/** Names that exporters give to this axis, but also to others. */
const SHORT_NAMES = /^(?:b|n|bs)$/i;

/** A size, a symbolic name, or '' without either. */
type Axes = readonly (number | string)[];

/**
 * Marks the axis of each input and output that counts instances (`batchAxis`). It is recognised by a name that inputs
 * and outputs share: a clear name at any axis, any name at the first axis, or a short name at any axis. Without names
 * it is the first axis if that is dynamic. In a graph with a fixed batch size, it is the first axis if inputs and
 * outputs share its size.
 */
export function markBatchAxes(session: Session, graph: Graph): Session {
  const inputs = session.inputs.map((spec) => axesOf(spec, graph.inputs));
  const outputs = session.outputs.map((spec) => axesOf(spec, graph.outputs));
  const find = chooseRule(inputs, outputs, convertsTables(graph));
  const mark = (specs: readonly TensorSpec[], axes: readonly Axes[], isOutput: boolean) =>
    specs.map((spec, index) => {
      const own = axes[index] ?? [];
      const batchAxis = spec.isRankDynamic ? undefined : find(own, isOutput);
      return { ...spec, axes: own, ...(batchAxis !== undefined && { batchAxis }) };
    });
  return {
    ...session,
    inputs: mark(session.inputs, inputs, false),
    outputs: mark(session.outputs, outputs, true),
  };
}

/** The axes of an input or output for messages: a size, a name, or `?`. */
export function nameAxes({ shape, axes = [] }: TensorSpec): readonly (number | string)[] {
  return shape.map((size, index) => (size === -1 ? axes[index] || '?' : size));
}

/** The axes according to the file; the runtime does not report their names. */
function axesOf({ name, shape }: TensorSpec, values: readonly ValueInfo[]): Axes {
  const declared = values.find((value) => value.name === name)?.shape;
  return declared?.length === shape.length ? declared : shape.map((size) => (size === -1 ? '' : size));
}

type Rule = (axes: Axes, isOutput: boolean) => number | undefined;

/** @param isTable whether the rows are the only dynamic axis of the graph */
function chooseRule(inputs: readonly Axes[], outputs: readonly Axes[], isTable: boolean): Rule {
  const name = findName(inputs, outputs);
  if (name !== undefined) return byName(name);
  if (inputs.some(([first]) => typeof first === 'string')) return isTable ? byOnlyDynamicAxis : byDynamicAxis;
  const sizes = inputs.flatMap(([first]) => (typeof first === 'number' ? [first] : []));
  const size = sizes.find((each) => outputs.some(([first]) => first === each)) ?? sizes[0];
  return (axes) => (axes[0] === size && size !== undefined ? 0 : undefined);
}

/** The name of the axis of instances; undefined if inputs and outputs do not share one. */
function findName(inputs: readonly Axes[], outputs: readonly Axes[]): string | undefined {
  const given = new Set(outputs.flat());
  const shared = inputs.flat().filter((axis): axis is string => isName(axis) && given.has(axis));
  const clear = shared.find((name) => BATCH_NAMES.test(name));
  if (clear !== undefined) return clear;
  const firsts = new Set(outputs.map(([first]) => first));
  const sharedFirst = inputs.map(([first]) => first).find((first) => isName(first) && firsts.has(first));
  return isName(sharedFirst) ? sharedFirst : shared.find((name) => SHORT_NAMES.test(name));
}

function isName(axis: number | string | undefined): axis is string {
  return typeof axis === 'string' && axis !== '';
}

/**
 * An axis without a name may count instances too, as exporters forget some names. An exporter that only saw one row
 * writes an output of one row.
 */
function byName(name: string): Rule {
  return (axes, isOutput) => {
    const named = axes.indexOf(name);
    if (named !== -1) return named;
    return axes[0] === '' || (isOutput && axes[0] === 1) ? 0 : undefined;
  };
}

const byDynamicAxis: Rule = ([first], isOutput) =>
  typeof first === 'string' || (isOutput && first === 1) ? 0 : undefined;

/** A forest with several labels returns its probabilities label by label, with all rows for each. */
const byOnlyDynamicAxis: Rule = (axes, isOutput) => {
  const found = byDynamicAxis(axes, isOutput);
  const dynamic = axes.flatMap((axis, index) => (typeof axis === 'string' ? [index] : []));
  return found === undefined && isOutput && dynamic.length === 1 ? dynamic[0] : found;
};
