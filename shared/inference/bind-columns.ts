import { ModelError } from '../models/model-config.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { columnOf } from '../values/cell.ts';
import { columnAt, type Feature, type RowFormat } from '../values/row.ts';

/** An input of a tabular graph with the columns of a row that go into it. */
export interface FeatureInput {
  readonly spec: TensorSpec;
  /** Positions in a row, in the order of the input's columns; undefined: all columns, however many there are. */
  readonly places: readonly number[] | undefined;
}

/** The columns of a row of a tabular model, and the inputs that its values go to. */
export interface ColumnBinding {
  readonly format: RowFormat;
  readonly inputs: readonly FeatureInput[];
}

/**
 * Determines which columns a tabular graph takes. The columns of several inputs are in the order of the inputs. If the
 * features of the config have exactly the names of the inputs, the names decide instead. Each feature is returned with
 * its type.
 *
 * @throws ModelError when an input is not a column or matrix, or the features of the config do not match
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
    throw new ModelError(
      `a tabular model takes at most ${MOST_COLUMNS} columns, but its graph takes ${width}`,
    );
  }
  const owners = specs.flatMap((spec, index) => new Array<TensorSpec>(widths[index] ?? 0).fill(spec));
  const ordered = orderByName(owners, features) ?? owners;
  checkFeatures(features, ordered);
  const kinds = new Map(specs.map((spec) => [spec, columnOf(spec)]));
  const [first, ...others] = ordered.map((owner) => kinds.get(owner) ?? columnOf(owner));
  if (!first) throw new ModelError('a tabular model takes columns, but its graph has none');
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

/** Most columns: more than hashed texts have, and more than fit in a request. */
const MOST_COLUMNS = 4 * 1024 * 1024;

/** The positions of each input's columns. */
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
      `a tabular model with several inputs must say how many columns each has, but its input "${name}" is [${shape}]`,
    );
  }
  throw new ModelError(
    `a tabular model takes columns or a matrix of them, but its input "${name}" is ${datatype} [${shape}]`,
  );
}

/** Number of columns; undefined if any number is accepted. */
function widthOf({ shape }: TensorSpec): number | undefined {
  const width = shape.length === 1 ? 1 : shape[1];
  return width === -1 ? undefined : width;
}

/** What the graph decides if the config does not. */
function withTypes(
  features: readonly Feature[] | undefined,
  columns: RowFormat['columns'],
): readonly Feature[] | undefined {
  return features?.map((feature, index) => ({ ...feature, type: columnAt(columns, index).type }));
}

/** The inputs in the order of the features, if the features have exactly the names of inputs with one column each. */
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
      `its model.json names ${features.length} features, but its input takes ${owners.length}`,
    );
  }
  for (const [place, { name, type, values = [], minLength }] of features.entries()) {
    const owner = owners[isOpen ? 0 : place];
    if (!owner) continue;
    const expected = columnOf(owner).type;
    if (minLength !== undefined && expected !== 'string') {
      throw new ModelError(`its model.json has a minLength for the feature "${name}", which is a number`);
    }
    if ((type ?? expected) !== expected || values.some((value) => typeof value !== expected)) {
      throw new ModelError(
        `its model.json has other values for the feature "${name}" than its input "${owner.name}", which takes ${expected}s`,
      );
    }
  }
}

/** Inputs of one column each name the columns. The name of the only input of a numeric model means nothing. */
function nameColumns(
  specs: readonly TensorSpec[],
  ordered: readonly TensorSpec[],
): readonly Feature[] | undefined {
  if (specs.length !== ordered.length) return undefined;
  if (specs.length === 1 && specs[0]?.datatype !== 'BYTES') return undefined;
  return ordered.map((spec) => ({ name: spec.name, type: columnOf(spec).type }));
}
