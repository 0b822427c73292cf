import { TENSOR } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, readFields, readText } from './protobuf.ts';
import { type Message, walkModel } from './walk.ts';

/** A tensor whose bytes are in another file, as the model declares it. Nothing has been checked yet. */
export interface ExternalData {
  /** Name of the tensor; '' for a constant inside a node. */
  readonly tensor: string;
  readonly location: string;
  /** Numbers of bytes in decimal digits; undefined if omitted. */
  readonly offset: string | undefined;
  readonly length: string | undefined;
}

/** Keys of the entries of `external_data`. */
const ENTRY = { key: 1, value: 2 } as const;

/**
 * The external tensors that a model declares, including those in constants, nested graphs and functions.
 *
 * @param entries all `external_data` entries of the model
 */
export function readExternalData(source: ByteSource, entries: readonly Message[]): readonly ExternalData[] {
  const byTensor = new Map<Message, Message[]>();
  for (const entry of entries) {
    const tensor = entry.parent ?? entry;
    const others = byTensor.get(tensor);
    if (others) others.push(entry);
    else byTensor.set(tensor, [entry]);
  }
  return [...byTensor].flatMap(([tensor, of]) => {
    const pairs = of.map((entry) => readEntry(source, entry));
    const find = (key: string) => pairs.findLast((pair) => pair.key === key)?.value;
    const said = {
      tensor: readName(source, tensor.field, TENSOR.name),
      offset: find('offset'),
      length: find('length'),
    };
    return pairs.flatMap(({ key, value }) => (key === 'location' ? [{ ...said, location: value }] : []));
  });
}

function readEntry(source: ByteSource, { field }: Message): { key: string; value: string } {
  let [key, value] = ['', ''];
  for (const member of readFields(source, field.start, field.end)) {
    if (member.number === ENTRY.key) key = readText(source, member);
    if (member.number === ENTRY.value) value = readText(source, member);
  }
  return { key, value };
}

/**
 * The files with the tensors of a model, as the model names them.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function readExternalLocations(source: ByteSource): ReadonlySet<string> {
  const entries = [...walkModel(source)].filter(({ kind }) => kind === 'entry');
  return new Set(readExternalData(source, entries).map(({ location }) => location));
}
