import { GRAPH, MODEL, NODE } from './fields.ts';
import { type ByteSource, readFields, readText } from './protobuf.ts';

type Kind = 'model' | 'function' | 'graph' | 'node' | 'attribute' | 'sparse' | 'tensor' | 'entry';

/** Messages on the way to a tensor, and the fields that lead on; as in onnx.proto (ONNX 1.18, IR version 11). */
const WAYS: Readonly<Record<Kind, Readonly<Partial<Record<number, Kind>>>>> = {
  model: { [MODEL.graph]: 'graph', 25: 'function' },
  function: { 7: 'node' },
  graph: { [GRAPH.node]: 'node', [GRAPH.initializer]: 'tensor', 15: 'sparse' },
  node: { [NODE.attribute]: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  entry: {},
};
const ENTRY = { key: 1, value: 2 } as const;
const LENGTH_DELIMITED = 2;

/**
 * The files that a model has tensors in: each `location` of the external data of its initializers and constants, those
 * of nested graphs and of functions among them, as it is written there.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function readExternalLocations(source: ByteSource): ReadonlySet<string> {
  const locations = new Set<string>();
  // A list instead of calls, as graphs can be nested deeper than calls can.
  const open: [kind: Kind, start: number, end: number][] = [['model', 0, source.length]];
  for (let message = open.pop(); message; message = open.pop()) {
    const [kind, start, end] = message;
    let [key, value] = ['', ''];
    for (const field of readFields(source, start, end)) {
      if (field.wireType !== LENGTH_DELIMITED) continue;
      const next = WAYS[kind][field.number];
      if (next) open.push([next, field.start, field.end]);
      if (kind === 'entry' && field.number === ENTRY.key) key = readText(source, field);
      if (kind === 'entry' && field.number === ENTRY.value) value = readText(source, field);
    }
    if (key === 'location') locations.add(value);
  }
  return locations;
}
