import { ATTRIBUTE } from './fields.ts';
import { groupByInput, ML_DOMAIN, type Node, readList, readName } from './nodes.ts';
import { type ByteSource, bytesSource, encodeVarintField, type Field, readFields } from './protobuf.ts';

/** Operators that pass the values of an input unchanged. */
const PASSING = [
  'Identity',
  'Cast',
  'Reshape',
  'Flatten',
  'Concat',
  'ArrayFeatureExtractor',
  'FeatureVectorizer',
];

/** Programs whose trees all support missing values, even if none leads to the left: XGBoost, LightGBM and CatBoost. */
const PRODUCERS = ['OnnxMLTools', 'CatBoost'];
/** Most steps from an input; only broken graphs have cycles. */
const LONGEST_WAY = 64;

/**
 * The inputs whose values can be missing. Missing numbers are NaN: every path from their input ends in trees that were
 * trained with missing values, or in an Imputer that fills them in. Missing texts are empty: every path from their input
 * ends in a Where that replaces empty texts, as skl2onnx writes it.
 * Source: the ONNX-ML operator list (`nodes_missing_value_tracks_true` of the tree ensembles, Imputer, LabelEncoder).
 *
 * @param producer name of the program that wrote the file
 */
export function findMissingInputs(
  source: ByteSource,
  nodes: readonly Node[],
  inputs: readonly string[],
  producer: string,
): ReadonlySet<string> {
  const takers = groupByInput(nodes);
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const known = new Map<Node, boolean>();
  const knowsMissing = (node: Node, steps: number): boolean => {
    const knows =
      known.get(node) ??
      (PASSING.includes(node.type)
        ? node.outputs.every((output) => endsWell(output, steps + 1))
        : fillsIn(source, node, producer) || findsEmpty(source, node) || fillsEmpty(source, node, makers));
    known.set(node, knows);
    return knows;
  };
  const endsWell = (name: string, steps: number): boolean => {
    const found = takers.get(name) ?? [];
    // A Where replaces the texts of its last input only.
    const isReplaced = ({ type, inputs: taken }: Node) => type !== 'Where' || taken.indexOf(name) === 2;
    return (
      steps <= LONGEST_WAY &&
      found.length > 0 &&
      found.every((node) => isReplaced(node) && knowsMissing(node, steps))
    );
  };
  return new Set(inputs.filter((name) => endsWell(name, 0)));
}

function fillsIn(source: ByteSource, { type, domain, attributes }: Node, producer: string): boolean {
  if (domain !== ML_DOMAIN) return false;
  const attribute = (name: string) =>
    attributes.find((candidate) => readName(source, candidate, ATTRIBUTE.name) === name);
  if (type === 'Imputer') return isNotANumber(source, attribute('replaced_value_float'));
  if (!type.startsWith('TreeEnsemble')) return false;
  if (PRODUCERS.includes(producer)) return true;
  const tracks = attribute('nodes_missing_value_tracks_true');
  return tracks !== undefined && hasOne(source, tracks);
}

/** Whether a node tests texts for being empty: its only key is the empty text. */
function findsEmpty(source: ByteSource, node: Node): boolean {
  if (node.type !== 'LabelEncoder' || node.domain !== ML_DOMAIN) return false;
  const keys = readList(source, node, 'keys');
  return keys?.length === 1 && keys[0] === '';
}

/** Whether a node takes another text for each empty text: `Where(Cast(LabelEncoder(text)), filling, text)`. */
export function fillsEmpty(
  source: ByteSource,
  { type, inputs }: Node,
  makers: ReadonlyMap<string, Node>,
): boolean {
  if (type !== 'Where') return false;
  const [condition = '', , text] = inputs;
  const cast = makers.get(condition);
  const test = cast?.type === 'Cast' ? makers.get(cast.inputs[0] ?? '') : undefined;
  return test !== undefined && test.inputs[0] === text && findsEmpty(source, test);
}

function isNotANumber(source: ByteSource, attribute: Field | undefined): boolean {
  if (!attribute) return false;
  const members = [...readFields(source, attribute.start, attribute.end)];
  const value = members.findLast(({ number }) => number === ATTRIBUTE.float);
  if (!value || value.end - value.start !== 4) return false;
  return Number.isNaN(Buffer.from(source.bytes(value.start, value.end)).readFloatLE());
}

/**
 * Whether one of the whole numbers of an attribute is 1. A forest has one for each of its hundreds of thousands of
 * nodes, so this searches the bytes: each number is a 0 or 1, after its own tag or packed into one field.
 */
function hasOne(source: ByteSource, { start, end }: Field): boolean {
  const content = Buffer.from(source.bytes(start, end));
  for (const member of readFields(bytesSource(content))) {
    if (member.number !== ATTRIBUTE.ints) continue;
    const isPacked = member.wireType !== 0;
    return isPacked ? content.subarray(member.start, member.end).includes(1) : content.includes(TAGGED_ONE);
  }
  return false;
}

const TAGGED_ONE = Buffer.from(encodeVarintField(ATTRIBUTE.ints, 1));
