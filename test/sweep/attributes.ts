import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ATTRIBUTE, GRAPH, MODEL, NODE } from '../../shared/onnx/fields.ts';
import { readNode } from '../../shared/onnx/nodes.ts';
import { bytesSource, encodeField, type Field, readFields, readVarints } from '../../shared/onnx/protobuf.ts';
import {
  floatAttribute,
  floatsAttribute,
  integerAttribute,
  integersAttribute,
} from '../support/build-model.ts';
import { mapFields, textOf } from './messages.ts';
import type { SweepCase } from './read-suite.ts';

/** A type of AttributeProto that holds numbers, under the name of its schema. */
type NumberKind = 'INT' | 'INTS' | 'FLOAT' | 'FLOATS';

export interface NumberAttribute {
  readonly name: string;
  readonly kind: NumberKind;
  /** The value in the file of the case; undefined without such an attribute. */
  readonly values: readonly number[] | undefined;
  /** Whether it is of an operator of the runtime itself. */
  readonly isOwn?: boolean;
}

/** Another attribute of a name in the node of a case; none where there are no bytes. */
export interface AttributeChange {
  readonly domain: string;
  readonly operator: string;
  readonly name: string;
  readonly attribute: Uint8Array | undefined;
}

interface Extreme {
  readonly text: string;
  readonly attribute: Uint8Array | undefined;
}

const INTEGERS: readonly bigint[] = [
  0n,
  -1n,
  1n,
  2n,
  7n,
  5000n,
  100_000n,
  2n ** 28n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 40n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const FLOATS = [0, -1, 2, 1e-45, 1e30, -1e30, Number.NaN, Infinity, -Infinity];
const LENGTHS = [0, 1, 2, 3, 4, 9, 100];

/** Attributes of operators of the runtime that its cases leave out. It takes any name for some of them. */
const OWN_ATTRIBUTES: Readonly<Record<string, NumberKind>> = {
  accuracy_level: 'INT',
  activation_alpha: 'FLOAT',
  activation_beta: 'FLOAT',
  axis: 'INT',
  bits: 'INT',
  causal: 'INT',
  channels_last: 'INT',
  char_embedding_size: 'INT',
  chunk_size: 'INT',
  do_rotary: 'INT',
  epsilon: 'FLOAT',
  group: 'INT',
  interleaved: 'INT',
  is_packed_batching: 'INT',
  local_blocks: 'INT',
  local_window_size: 'INT',
  mask_filter_value: 'FLOAT',
  mask_index_type: 'INT',
  max_number: 'INT',
  num_heads: 'INT',
  normalize_routing_weights: 'INT',
  output_mode: 'INT',
  past_present_share_buffer: 'INT',
  qk_output: 'INT',
  qkv_hidden_sizes: 'INTS',
  quant_size: 'INT',
  rotary_embedding_dim: 'INT',
  rotary_interleaved: 'INT',
  scale: 'FLOAT',
  scale_base: 'INT',
  smooth_softmax: 'INT',
  softcap: 'FLOAT',
  stash_type: 'INT',
  swiglu_fusion: 'INT',
  swiglu_limit: 'FLOAT',
  unidirectional: 'INT',
  use_sparse_mixer: 'INT',
};

/** All attributes of numbers that some operator of the suite has, by the sources of its schemas, and of the runtime's own. */
export function readAttributeNames(tests: string): NumberAttribute[] {
  const folder = join(tests, '../../../../defs');
  const own = new Set(Object.entries(OWN_ATTRIBUTES).map(([name, kind]) => `${name} ${kind}`));
  const kinds = new Set(own);
  for (const file of globSync('**/*.cc', { cwd: folder })) {
    const source = readFileSync(join(folder, file), 'utf8');
    const attributes = source.matchAll(
      /Attr\(\s*"(\w+)",(?:(?!Attr\().)*?AttributeProto::(INTS?|FLOATS?)\b/gs,
    );
    for (const [, name, kind] of attributes) kinds.add(`${name} ${kind}`);
  }
  return [...kinds].sort().map((entry) => {
    const [name = '', kind] = entry.split(' ');
    return { name, kind: kind as NumberKind, values: undefined, isOwn: own.has(entry) };
  });
}

/** The attributes of numbers that the node of a case has. */
export function readNumberAttributes({ domain, operator, open }: SweepCase): NumberAttribute[] {
  const model = open();
  const source = bytesSource(model);
  const [graph] = [...readFields(source)].filter(({ number }) => number === MODEL.graph);
  if (!graph) return [];
  const nodes = [...readFields(source, graph.start, graph.end)]
    .filter(({ number }) => number === GRAPH.node)
    .map((part) => readNode(source, part));
  const node = nodes.find((each) => each.type === operator && each.domain === domain);
  return (node?.attributes ?? []).flatMap((attribute) => readNumbers(model, attribute));
}

function readNumbers(model: Uint8Array, attribute: Field): NumberAttribute[] {
  const source = bytesSource(model);
  const kinds = new Map<number, NumberKind>([
    [ATTRIBUTE.integer, 'INT'],
    [ATTRIBUTE.ints, 'INTS'],
    [ATTRIBUTE.float, 'FLOAT'],
    [ATTRIBUTE.floats, 'FLOATS'],
  ]);
  const name = textOf(model, attribute, ATTRIBUTE.name);
  const values: number[] = [];
  let kind: NumberKind | undefined;
  for (const field of readFields(source, attribute.start, attribute.end)) {
    const found = kinds.get(field.number);
    if (!found) continue;
    kind = found;
    if (found === 'INT' || found === 'INTS') values.push(...readVarints(source, field));
    else values.push(...new Float32Array(Uint8Array.from(model.subarray(field.start, field.end)).buffer));
  }
  return kind ? [{ name, kind, values }] : [];
}

/** A node of the operator with the attribute; undefined for another node. */
export function changeAttribute(
  model: Uint8Array,
  node: Field,
  { domain, operator, name, attribute }: AttributeChange,
): Uint8Array | undefined {
  const isOther =
    textOf(model, node, NODE.opType) !== operator || textOf(model, node, NODE.domain) !== domain;
  if (isOther) return undefined;
  const others = mapFields(model, node, (member) =>
    member.number === NODE.attribute && textOf(model, member, ATTRIBUTE.name) === name
      ? new Uint8Array(0)
      : undefined,
  );
  return attribute ? Buffer.concat([others, encodeField(NODE.attribute, attribute)]) : others;
}

/** Values that no honest file has: at the ends of the type, lists that are too short and too long, or left out. */
export function extremesOf({ name, kind, values }: NumberAttribute): Extreme[] {
  const extremes =
    kind === 'INT'
      ? INTEGERS.map((value) => ({ text: `${name}=${value}`, attribute: integerAttribute(name, value) }))
      : kind === 'FLOAT'
        ? FLOATS.map((value) => ({ text: `${name}=${value}`, attribute: floatAttribute(name, value) }))
        : kind === 'INTS'
          ? listsOf(
              (values ?? [1, 1]).map((value) => BigInt(value)),
              INTEGERS,
            ).map((list) => ({ text: describeList(name, list), attribute: integersAttribute(name, list) }))
          : listsOf(values ?? [1, 1], FLOATS).map((list) => ({
              text: describeList(name, list),
              attribute: floatsAttribute(name, list),
            }));
  const all = values ? [...extremes, { text: `without ${name}`, attribute: undefined }] : extremes;
  return all.filter(({ text }, at) => all.findIndex((other) => other.text === text) === at);
}

/** A harmless attribute by which the runtime shows whether it knows the name. */
export function ordinaryAttribute({ name, kind }: NumberAttribute): Uint8Array {
  if (kind === 'INT') return integerAttribute(name, 1);
  if (kind === 'FLOAT') return floatAttribute(name, 1);
  return kind === 'INTS' ? integersAttribute(name, [1n, 1n]) : floatsAttribute(name, [1, 1]);
}

function listsOf<T extends number | bigint>(values: readonly T[], specials: readonly T[]): T[][] {
  const { length } = values;
  const repeated = (count: number) =>
    Array.from({ length: count }, (_, at) => values[at % length] ?? specials[0]).filter(
      (value) => value !== undefined,
    );
  const places = [...new Set([0, length >> 1, length - 1])].filter((place) => place >= 0);
  return [
    ...[...LENGTHS, length - 1, length + 1].filter((count) => count >= 0).map(repeated),
    ...specials.map((special) => values.map(() => special)),
    ...places.flatMap((place) =>
      specials.map((special) => values.map((value, at) => (at === place ? special : value))),
    ),
  ];
}

const LONGEST_TEXT = 12;

function describeList(name: string, list: readonly (number | bigint)[]): string {
  const [first] = list;
  if (list.length > LONGEST_TEXT && list.every((value) => value === first))
    return `${name}=${list.length} times ${first}`;
  const text = list.slice(0, LONGEST_TEXT).join(' ');
  return `${name}=[${text}${list.length > LONGEST_TEXT ? ` … ${list.length} in all, ${list.at(-1)}` : ''}]`;
}
