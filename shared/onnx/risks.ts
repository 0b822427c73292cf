import { readConstants } from './constants.ts';
import { ATTRIBUTE } from './fields.ts';
import { readName, readNode } from './nodes.ts';
import { type ByteSource, readFields, readVarints } from './protobuf.ts';
import type { Message } from './walk.ts';

/** A node that can end the process, or keep it busy forever, when the model is loaded and run once. */
export interface Risk {
  readonly operator: string;
  /** What it does, to follow its operator in a sentence: `can take more than 1000 iterations`. */
  readonly why: string;
  /** Fewest bytes that it makes: a risk if they are a large part of the memory. Undefined: always a risk. */
  readonly bytes?: number;
}

/** A node that can be a risk. */
export interface SuspectNode {
  readonly message: Message;
  /** Whether it is in the body of a Loop or a Scan, or in a function, which a loop can call. */
  readonly isRepeated: boolean;
}

interface Suspect extends SuspectNode {
  /** The values in the file of an input, or of an attribute with a list; several if a name is reused. */
  input(index: number): readonly (readonly number[])[];
  attribute(name: string): readonly number[];
}

type Judge = (suspect: Suspect) => Omit<Risk, 'operator'> | undefined;

/** A Loop outside of other loops ends almost at once with this many iterations. */
const MOST_TURNS = 1000;
/** Most tensors consist of float32. */
const BYTES_PER_ELEMENT = 4;

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * Math.max(size, 1), 1);

/** An operator whose number of elements is the product of a list of sizes. */
const makes =
  (list: (suspect: Suspect) => readonly (readonly number[])[], count = product): Judge =>
  (suspect) => {
    const bytes = Math.max(0, ...list(suspect).map(count)) * BYTES_PER_ELEMENT;
    return bytes > 0 ? { bytes, why: 'makes a tensor whose size is set in the file' } : undefined;
  };
const ofInput = (index: number) => (suspect: Suspect) => suspect.input(index);
const ofAttribute = (name: string) => (suspect: Suspect) => [suspect.attribute(name)];
const scaled = (scales: readonly number[]) => Math.floor(product(scales));
/** Each axis has at least its padding at both ends plus one element. */
const padded = (pads: readonly number[]) => {
  const axes = Math.floor(pads.length / 2);
  return product(Array.from({ length: axes }, (_, axis) => 1 + (pads[axis] ?? 0) + (pads[axis + axes] ?? 0)));
};

/**
 * Operators that are first tried in a separate process, each with what makes it a risk. If possible, operators that end
 * the process on some values are guarded in the graph instead (guard-operators.ts), as such values also come with
 * requests.
 */
const RISKS: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['Loop', judgeLoop],
  ['Scan', (suspect) => (suspect.isRepeated ? { why: 'is repeated by another loop' } : undefined)],
  [
    'SimplifiedLayerNormalization',
    (suspect) => (suspect.isRepeated ? { why: 'is in a function or a loop' } : undefined),
  ],
  ['ConstantOfShape', makes(ofInput(0))],
  ['Expand', makes(ofInput(1))],
  ['Tile', makes(ofInput(1))],
  ['Range', makes(listOfRange, ([count = 0]) => count)],
  ['OneHot', makes(ofInput(1))],
  ['Pad', makes((suspect) => [...suspect.input(1), suspect.attribute('pads')], padded)],
  ['Resize', makes((suspect) => [...suspect.input(1), ...suspect.input(2), ...suspect.input(3)], scaled)],
  ['Upsample', makes(ofInput(1), scaled)],
  ['MaxUnpool', makes(ofInput(2))],
  ['CenterCropPad', makes(ofInput(1))],
  ['Col2Im', makes(ofInput(1))],
  ['AffineGrid', makes(ofInput(1))],
  ['DFT', makes(ofInput(1))],
  ['HannWindow', makes(ofInput(0))],
  ['HammingWindow', makes(ofInput(0))],
  ['BlackmanWindow', makes(ofInput(0))],
  ['MelWeightMatrix', makes(ofInput(0))],
  ['RandomNormal', makes(ofAttribute('shape'))],
  ['RandomUniform', makes(ofAttribute('shape'))],
]);

/** Whether a node can be a risk. */
export function isSuspect({ operator }: Message): boolean {
  return RISKS.has(operator);
}

/**
 * The parts of a model that should be tried in a separate process.
 *
 * @param suspects the nodes that can be a risk
 * @param constants its initializers and Constants
 */
export function findRisks(
  source: ByteSource,
  suspects: readonly SuspectNode[],
  constants: readonly Message[],
): readonly Risk[] {
  if (suspects.length === 0) return [];
  const nodes = suspects.map((suspect) => ({ suspect, node: readNode(source, suspect.message.field) }));
  const names = new Set(nodes.flatMap(({ node }) => node.inputs));
  const values = readConstants(source, constants, names);
  return nodes.flatMap(({ suspect, node }) => {
    const { operator } = suspect.message;
    const found = RISKS.get(operator)?.({
      ...suspect,
      input: (index) => values.get(node.inputs[index] ?? '') ?? [],
      attribute: (name) => {
        const attribute = node.attributes.find((each) => readName(source, each, ATTRIBUTE.name) === name);
        if (!attribute) return [];
        const lists = readFields(
          source,
          attribute.start,
          attribute.end,
          (number) => number === ATTRIBUTE.ints,
        );
        return [...lists].flatMap((list) => readVarints(source, list));
      },
    });
    return found ? [{ operator, ...found }] : [];
  });
}

function judgeLoop(suspect: Suspect): Omit<Risk, 'operator'> | undefined {
  if (suspect.isRepeated) return { why: 'is repeated by another loop' };
  const turns = suspect.input(0);
  const isShort =
    turns.length > 0 && turns.every(([count = Number.POSITIVE_INFINITY]) => count <= MOST_TURNS);
  return isShort ? undefined : { why: `can take more than ${MOST_TURNS} iterations` };
}

/** Whether the content of a message can run many times. */
export function isRepeating({ kind, operator }: Message): boolean {
  return kind === 'function' || operator === 'Loop' || operator === 'Scan';
}

/** How many numbers a Range has. */
function listOfRange(suspect: Suspect): readonly (readonly number[])[] {
  const [starts, limits, deltas] = [suspect.input(0), suspect.input(1), suspect.input(2)];
  return limits.flatMap(([limit = 0]) => {
    const [[start = 0] = []] = starts;
    const [[delta = 1] = []] = deltas;
    return [[Math.ceil((limit - start) / delta)]];
  });
}
