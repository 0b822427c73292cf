import { nameColumns } from '../../../shared/models/formats/metadata.ts';
import type { Suggestion, Value } from './inspection.ts';
import { describeLabels, labelsFor, MOST_NAMES, type Suggesting } from './suggesting.ts';

/** For a graph that turns the columns of a table into scores or a number for each row; undefined for any other. */
export function suggestTable(suggesting: Suggesting, output: Value): Suggestion | undefined {
  const columns = columnsOf(suggesting);
  const [, width = 1] = output.shape ?? [];
  if (!columns || !output.shape || output.shape.length > 2 || output.shape.length === 0) return undefined;
  const { graph, known } = suggesting;
  const areProbabilities = graph.probabilities.has(output.name);
  return width === 1 && !areProbabilities && !known
    ? suggestNumbers(suggesting, columns)
    : suggestClasses(suggesting, columns, width === 1 ? 2 : width, areProbabilities || width === 1);
}

interface Columns {
  readonly members: { readonly features?: readonly { readonly name: string }[] };
  /** Where their names come from, as the beginning of a sentence. */
  readonly origin: string;
}

/** One matrix of numbers, or an input per column. */
function columnsOf({ facts: { inputs }, graph }: Suggesting): Columns | undefined {
  const [matrix, ...others] = inputs;
  const [, width] = matrix?.shape ?? [];
  if (!matrix || others.length > 0) return separateColumns(inputs);
  if (matrix.shape?.length !== 2 || typeof width !== 'number') return undefined;
  const names = nameColumns(graph.metadata, width);
  if (names) {
    const all = names.length > MOST_NAMES ? ' (all of them with --json)' : '';
    return { members: named(names), origin: `the names of the columns come from its metadata${all}` };
  }
  // Whole numbers without names are tokens more often than columns.
  if (!matrix.datatype.startsWith('FP')) return undefined;
  if (width > MOST_NAMES) {
    return { members: {}, origin: `"features" can name its ${width} columns; without them rows are lists` };
  }
  const madeUp = Array.from({ length: width }, (_, index) => `column ${index}`);
  return {
    members: named(madeUp),
    origin: 'choose the names of the columns, in the order of training',
  };
}

function separateColumns(inputs: readonly Value[]): Columns | undefined {
  const isColumn = ({ shape }: Value) => shape?.length === 1 || (shape?.length === 2 && shape[1] === 1);
  if (inputs.length === 0 || !inputs.every(isColumn)) return undefined;
  return {
    members: named(inputs.map(({ name }) => name)),
    origin: 'the names of the columns are those of its inputs',
  };
}

function named(names: readonly string[]): Columns['members'] {
  return { features: names.map((name) => ({ name })) };
}

function suggestNumbers({ place }: Suggesting, { members, origin }: Columns): Suggestion {
  return {
    model_json: { task: 'tabular-regression', ...members },
    note: `if it predicts a number for each row, save this as ${place}; ${origin}`,
  };
}

function suggestClasses(
  { place, known }: Suggesting,
  { members, origin }: Columns,
  classes: number | string,
  areProbabilities: boolean,
): Suggestion {
  return {
    model_json: {
      task: 'tabular-classification',
      ...members,
      ...labelsFor(known, classes),
      ...(!areProbabilities && { postprocess: [{ step: 'softmax' }] }),
    },
    note: `if it classifies the rows of a table, save this as ${place}; ${origin}; ${describeLabels(known, classes)}; if it predicts numbers, use the "task" "tabular-regression" with "features" only`,
  };
}
