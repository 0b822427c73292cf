import { ModelError } from '../models/model-config.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { columnOf } from '../values/cell.ts';
import { columnAt, type Feature, type RowFormat } from '../values/row.ts';

/** An input of a tabular graph with the columns of a row that go into it. */
export interface FeatureInput {
  readonly spec: TensorSpec;
  /** Places in a row, in the order of the input's columns; undefined: all of them, however many there are. */
  readonly places: readonly number[] | undefined;
}

/** What a row of a tabular model looks like and where its values go. */
export interface ColumnBinding {
  readonly format: RowFormat;
  readonly inputs: readonly FeatureInput[];
}

/**
 * Finds out which columns a tabular graph takes. The columns of several inputs stand in the order of the inputs, unless
 * the features of the config have the very names of the inputs: then those names say which is which. Each feature comes
 * back with its type.
 *
 * @throws ModelError when an input is not a column or matrix, or the config names other features
 */
export function bindColumns(
  specs: readonly TensorSpec[],
  features: readonly Feature[] | undefined,
): ColumnBinding {
  for (const spec of specs) checkColumns(spec, specs.length);
  const widths = specs.map(widthOf);
  const [only] = specs;
  if (only && specs.length === 1 && widths[0] === undefined) {
    const columns: RowFormat['columns'] = [columnOf(only)];
    checkFeatures(features, [only]);
    return {
      format: { named: withTypes(features, columns), width: undefined, columns },
      inputs: [{ spec: only, places: undefined }],
    };
  }
  const width = widths.reduce((total: number, each = 0) => total + each, 0);
  if (width > MOST_COLUMNS) {
    throw new ModelError(`a tabular model takes at most ${MOST_COLUMNS} columns, its graph takes ${width}`);
  }
  const owners = specs.flatMap((spec, index) => new Array<TensorSpec>(widths[index] ?? 0).fill(spec));
  const ordered = orderByName(owners, features) ?? owners;
  checkFeatures(features, ordered);
  const kinds = new Map(specs.map((spec) => [spec, columnOf(spec)]));
  const [first, ...others] = ordered.map((owner) => kinds.get(owner) ?? columnOf(owner));
  if (!first) throw new ModelError('a tabular model takes columns, its graph has none');
  const columns: RowFormat['columns'] = [first, ...others];
  const places = placesOf(ordered);
  return {
    format: {
      named: withTypes(features, columns) ?? nameColumns(specs, ordered),
      width: ordered.length,
      columns,
    },
    inputs: specs.map((spec) => ({ spec, places: places.get(spec) ?? [] })),
  };
}

/** More than hashed texts have, and than a request has room for. */
const MOST_COLUMNS = 4 * 1024 * 1024;

/** The places of each input's columns. */
function placesOf(owners: readonly TensorSpec[]): ReadonlyMap<TensorSpec, readonly number[]> {
  const places = new Map<TensorSpec, number[]>();
  for (const [place, owner] of owners.entries()) {
    const others = places.get(owner);
    if (others) others.push(place);
    else places.set(owner, [place]);
  }
  return places;
}

function checkColumns(spec: TensorSpec, inputs: number): void {
  const { name, datatype, shape } = spec;
  const rank = shape.length;
  if (rank === 2 || (rank === 1 && spec.isRankDynamic !== true)) {
    if (inputs === 1 || widthOf(spec) !== undefined) return;
    throw new ModelError(
      `a tabular model with several inputs must say how many columns each has, its input "${name}" is [${shape}]`,
    );
  }
  throw new ModelError(
    `a tabular model takes columns or a matrix of them, its input "${name}" is ${datatype} [${shape}]`,
  );
}

/** Number of columns; undefined when any will do. */
function widthOf({ shape }: TensorSpec): number | undefined {
  const width = shape.length === 1 ? 1 : shape[1];
  return width === -1 ? undefined : width;
}

/** What the config leaves to the graph. */
function withTypes(
  features: readonly Feature[] | undefined,
  columns: RowFormat['columns'],
): readonly Feature[] | undefined {
  return features?.map((feature, index) => ({ ...feature, type: columnAt(columns, index).type }));
}

/** The inputs in the order of the features, when each feature is named as one input of one column. */
function orderByName(
  owners: readonly TensorSpec[],
  features: readonly Feature[] | undefined,
): TensorSpec[] | undefined {
  const byName = new Map(owners.map((spec) => [spec.name, spec]));
  if (!features || byName.size !== owners.length || features.length !== owners.length) return undefined;
  const ordered = features.flatMap(({ name }) => byName.get(name) ?? []);
  return ordered.length === owners.length ? ordered : undefined;
}

/** @param owners the input of each column; a single one for any number of columns */
function checkFeatures(features: readonly Feature[] | undefined, owners: readonly TensorSpec[]): void {
  if (!features) return;
  const isOpen = owners.length === 1 && owners[0] !== undefined && widthOf(owners[0]) === undefined;
  if (!isOpen && features.length !== owners.length) {
    throw new ModelError(
      `its model.json names ${features.length} features, its input takes ${owners.length}`,
    );
  }
  for (const [place, { name, type, values = [] }] of features.entries()) {
    const owner = owners[isOpen ? 0 : place];
    if (!owner) continue;
    const expected = columnOf(owner).type;
    if ((type ?? expected) !== expected || values.some((value) => typeof value !== expected)) {
      throw new ModelError(
        `its model.json has other values for the feature "${name}" than its input "${owner.name}", which takes ${expected}s`,
      );
    }
  }
}

/** Inputs of one column each name the columns. The only input of a model of numbers has a name that says nothing. */
function nameColumns(
  specs: readonly TensorSpec[],
  ordered: readonly TensorSpec[],
): readonly Feature[] | undefined {
  if (specs.length !== ordered.length) return undefined;
  if (specs.length === 1 && specs[0]?.datatype !== 'BYTES') return undefined;
  return ordered.map((spec) => ({ name: spec.name, type: columnOf(spec).type }));
}
