import type { JsonValue } from '../json/json-value.ts';
import { countedName } from '../measurement-keys.ts';
import type { ColumnExample } from '../onnx/column-examples.ts';
import { type Datatype, isFloatType } from '../tensor/datatype.ts';
import { createTensor, toNumbers } from '../tensor/tensor.ts';
import type { DeviationKind } from '../usage.ts';
import { isMissing, readText } from '../values/cell.ts';
import { columnAt, type Feature, type RowFormat } from '../values/row.ts';
import type { FeatureInput } from './bind-columns.ts';

/** The columns of a tabular model, with what is expected of their values. */
export interface CountedColumns {
  /** Those of a row, by their positions. */
  readonly named: readonly Feature[];
  readonly columns: RowFormat['columns'];
  readonly inputs: readonly FeatureInput[];
  /** What the graph knows, by the positions of the columns in a row. */
  readonly learned: readonly (ColumnExample | undefined)[];
  /** Whether a row that was accepted can have a missing value, or a text that the graph does not know. */
  readonly canDeviate: boolean;
}

/** What is expected of the values of a column. */
export interface Expected {
  /** The name under which they are counted. */
  readonly name: string;
  readonly feature: Feature | undefined;
  readonly isText: boolean;
  /** Whether an empty text is a missing one. */
  readonly emptyIsMissing: boolean;
  /** Ends of the range of numbers, as the datatype of the input has them. */
  readonly low: number;
  readonly high: number;
  /** All values that are expected; numbers also as the datatype of the input has them. */
  readonly known: ReadonlySet<string | number> | undefined;
}

/** How the values of an input are counted. */
interface InputPlan {
  readonly input: FeatureInput;
  /** What is expected of its columns. */
  readonly expected: readonly Expected[];
}

const plans = new WeakMap<CountedColumns, readonly InputPlan[]>();

/** How the values of each input are counted; it is found out once for each model. */
export function planOf(columns: CountedColumns): readonly InputPlan[] {
  const plan = plans.get(columns) ?? columns.inputs.map((input) => planInput(columns, input));
  plans.set(columns, plan);
  return plan;
}

function planInput({ named, columns, learned }: CountedColumns, input: FeatureInput): InputPlan {
  const { places = [...named.keys()], spec } = input;
  const expected = places.map((place): Expected => {
    const { type, allowsMissing = false } = columnAt(columns, place);
    const feature = named[place];
    const isText = type === 'string';
    const values = feature?.values ?? (isText ? learned[place]?.categories : undefined);
    // A number at the end of its range may be beyond it once it is rounded, and so is the end.
    const [low = -Infinity, high = Infinity] = rounded(feature?.range ?? [], spec.datatype);
    return {
      name: countedName(named, place),
      feature,
      isText,
      emptyIsMissing: isText && (allowsMissing || (feature?.minLength ?? 0) > 0),
      low,
      high,
      known: values && withRounded(values, spec.datatype),
    };
  });
  return { input, expected };
}

function withRounded(values: readonly (string | number)[], datatype: Datatype): ReadonlySet<string | number> {
  const numbers = values.filter((value) => typeof value === 'number');
  return new Set<string | number>([...values, ...rounded(numbers, datatype)]);
}

/** Numbers as a datatype has them; whole numbers are compared as they are. */
function rounded(numbers: readonly number[], datatype: Datatype): ArrayLike<number> & Iterable<number> {
  return isFloatType(datatype) ? toNumbers(createTensor(datatype, [numbers.length], numbers)) : numbers;
}

/** How a value differs from what is expected; undefined if it does not, or if it is a mistake of another kind. */
export function kindOf(value: JsonValue | undefined, expected: Expected): DeviationKind | undefined {
  const { feature, isText, emptyIsMissing, known } = expected;
  if (value === undefined || isMissing(value)) return 'missing';
  if (isText) {
    if (typeof value !== 'string') return undefined;
    if (value === '' && emptyIsMissing) return 'missing';
    return known && !known.has(value) ? 'unseen' : undefined;
  }
  if (typeof value === 'string') return readText(value, ANY_NUMBER) === null ? 'missing' : undefined;
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number' && typeof number !== 'bigint') return undefined;
  const [low, high] = feature?.range ?? UNBOUNDED;
  if (number < low || number > high) return 'out_of_range';
  return known && !known.has(Number(number)) ? 'unseen' : undefined;
}

/** In a column of numbers, the words for a missing one mean the same in a request that is refused because of them. */
const ANY_NUMBER = { type: 'number', allowsMissing: true } as const;
const UNBOUNDED = [-Infinity, Infinity] as const;
