import { describe, expect, it } from 'vitest';
import { referenceAttribute } from '../../../shared/onnx/encode-node.ts';
import { ATTRIBUTE, GRAPH, MODEL, NODE } from '../../../shared/onnx/fields.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { guardOperators } from '../../../shared/onnx/guard-operators.ts';
import { bytesSource, encodeField, encodeHead } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import {
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  int64Initializer,
  integerAttribute,
  integersAttribute,
  join,
  stringsAttribute,
  tensorValue,
  text,
} from '../../support/build-model.ts';

/** Each takes a tenth of it here. With a search in a list it took several times as much. */
const MOST_CPU_SECONDS = 4;

/** The processor time that something takes. */
function cpuSecondsOf(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const ml = (
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Uint8Array[] = [],
) => buildNode(type, inputs, outputs, { domain: 'ai.onnx.ml', attributes });
const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));
const X = tensorValue('x', FLOAT, ['n', 4]);
const OPSETS = { '': 18, 'ai.onnx.ml': 3, local: 1 };

const LABELS = 100_000;
const classes = many(LABELS, (index) => BigInt(index));
const classifier = ml(
  'LinearClassifier',
  ['x'],
  ['class', 'p'],
  [integersAttribute('classlabels_ints', classes)],
);
const encoder = ml(
  'LabelEncoder',
  ['class'],
  ['label'],
  [
    integersAttribute('keys_int64s', classes),
    stringsAttribute(
      'values_strings',
      many(LABELS, (index) => `label ${index}`),
    ),
  ],
);

const MODELS = {
  'a LabelEncoder of 100,000 labels': () =>
    buildModel({
      nodes: [classifier, encoder],
      inputs: [X],
      outputs: [tensorValue('label', 8, ['n'])],
      opsets: OPSETS,
    }),
  'a thousand outputs of the same labels': () =>
    buildModel({
      nodes: [classifier, encoder, ...many(1000, (index) => buildNode('Identity', ['label'], [`y${index}`]))],
      inputs: [X],
      outputs: many(1000, (index) => tensorValue(`y${index}`, 8, ['n'])),
      opsets: OPSETS,
    }),
  '5,000 outputs picked out of 5,000 constants': () =>
    buildModel({
      nodes: many(5000, (index) => ml('ArrayFeatureExtractor', [`c${index}`, 'x'], [`y${index}`])),
      inputs: [X],
      outputs: many(5000, (index) => tensorValue(`y${index}`, INT64, ['n'])),
      initializers: many(5000, (index) => int64Initializer(`c${index}`, [index])),
      opsets: OPSETS,
    }),
} satisfies Record<string, () => Uint8Array>;

describe('reading a graph', () => {
  it.each(Object.entries(MODELS))('takes time that grows with its size: %s', async (_, make) => {
    const source = bytesSource(make());
    const before = process.cpuUsage();
    const { classLabels } = await readGraph(source);
    const { user, system } = process.cpuUsage(before);
    expect(classLabels.size).toBeGreaterThan(0);
    expect((user + system) / 1e6).toBeLessThan(MOST_CPU_SECONDS);
  });
});

const topKs = (count: number, attributes: readonly Uint8Array[]) =>
  many(count, (index) => buildNode('TopK', ['x', 'k'], [`v${index}`, `i${index}`], { attributes }));

describe('guarding operators', () => {
  it('takes the same time for 10,000 of them anywhere, even 100,000 graphs deep', () => {
    const secondsOf = (count: number, depth: number) => {
      const source = bytesSource(nestDeeply(topKs(count, []), depth));
      return cpuSecondsOf(() => rewriteModel(source, [guardOperators(2 ** 26)]));
    };
    // A look at each graph around each of them takes five times as long.
    const apart = secondsOf(10_000, 1) + secondsOf(1, 100_000);
    expect(secondsOf(10_000, 100_000)).toBeLessThan(2.5 * apart);
  });

  it('reads a long function that gets the axis a few times, however many there are in it', () => {
    const best = buildFunction({
      name: 'Best',
      inputs: ['x', 'k'],
      outputs: ['v0'],
      nodes: [
        ...Array(5000).fill(buildNode('Identity', ['x'], ['y'])),
        ...topKs(500, [referenceAttribute('axis', 'axis')]),
      ],
      attributes: [integerAttribute('axis', -1)],
    });
    const model = buildModel({ nodes: [], inputs: [X], outputs: [], functions: [best], opsets: OPSETS });
    const source = bytesSource(model);
    let bytesRead = 0;
    rewriteModel(
      {
        ...source,
        byteAt: (at) => {
          bytesRead += 1;
          return source.byteAt(at);
        },
        bytes: (start, end) => {
          bytesRead += end - start;
          return source.bytes(start, end);
        },
      },
      [guardOperators(2 ** 26)],
    );
    expect(bytesRead).toBeLessThan(10 * model.length);
  });
});

/** A model with nodes in graphs inside graphs. Only the heads of the messages around are put together. */
function nestDeeply(nodes: readonly Uint8Array[], depth: number): Uint8Array {
  const inner = join(nodes.map((node) => encodeField(GRAPH.node, node)));
  const before: Uint8Array[] = [];
  let length = inner.length;
  const putInto = (number: number, others: Uint8Array = new Uint8Array(0)) => {
    const head = join([others, encodeHead(number, length)]);
    before.push(head);
    length += head.length;
  };
  const named = encodeField(ATTRIBUTE.name, text('then_branch'));
  for (let level = 0; level < depth; level++) {
    putInto(ATTRIBUTE.graph, named);
    putInto(NODE.attribute, encodeField(NODE.opType, text('If')));
    putInto(GRAPH.node);
  }
  putInto(MODEL.graph);
  return join([...before.reverse(), inner]);
}
