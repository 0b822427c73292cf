import { ModelError } from '../models/model-config.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';

/** The shapes that clients see, by the names of tensors; -1 for any size. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/**
 * A session in which some tensors have other shapes for clients than in the graph, with the same elements. Open axes
 * keep their order: the client's first is the graph's first.
 * Source: `reshape` of Triton's model configuration.
 *
 * @throws ModelError with the tensor that does not exist, or cannot have that shape
 */
export function reshapeSession(session: Session, shapes: Shapes | undefined): Session {
  if (shapes === undefined) return session;
  const known = [...session.inputs, ...session.outputs].map(({ name }) => name);
  const unknown = Object.keys(shapes).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ModelError(
      `its "shapes" name ${JSON.stringify(unknown)}, but its graph has ${known.join(', ')}`,
    );
  }
  const inputs = session.inputs.map((spec) => reshapeSpec(spec, shapes));
  const outputs = session.outputs.map((spec) => reshapeSpec(spec, shapes));
  return {
    ...session,
    inputs,
    outputs,
    run: async (feeds, fetches) =>
      reshapeAll(
        await session.run(reshapeAll(feeds, inputs, session.inputs), fetches),
        session.outputs,
        outputs,
      ),
  };
}

function reshapeSpec(spec: TensorSpec, shapes: Shapes): TensorSpec {
  const shape = Object.hasOwn(shapes, spec.name) ? shapes[spec.name] : undefined;
  if (shape === undefined) return spec;
  const open = (sizes: readonly number[]) => sizes.filter((size) => size === -1).length;
  const fixed = (sizes: readonly number[]) => elementCount(sizes.filter((size) => size !== -1));
  if (!spec.isRankDynamic && open(shape) === open(spec.shape) && fixed(shape) === fixed(spec.shape)) {
    return { ...spec, shape };
  }
  throw new ModelError(`its "shapes" make ${spec.name} [${shape}], but its graph has [${spec.shape}] there`);
}

function reshapeAll(
  tensors: NamedTensors,
  from: readonly TensorSpec[],
  to: readonly TensorSpec[],
): NamedTensors {
  const shapeOf = (specs: readonly TensorSpec[], name: string) =>
    specs.find((spec) => spec.name === name)?.shape ?? [];
  return new Map(
    [...tensors].map(([name, tensor]) => [name, reshape(tensor, shapeOf(from, name), shapeOf(to, name))]),
  );
}

function reshape(tensor: Tensor, from: readonly number[], to: readonly number[]): Tensor {
  const sizes = tensor.shape.filter((_, axis) => from[axis] === -1).values();
  const shape = to.map((size) => (size === -1 ? (sizes.next().value ?? 1) : size));
  // A graph may return another shape than it declares; it is passed unchanged.
  return elementCount(shape) === tensor.data.length ? { ...tensor, shape } : tensor;
}
