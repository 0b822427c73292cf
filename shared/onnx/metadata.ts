import { MODEL, STRING_ENTRY } from './fields.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';

/** An entry of the metadata of a file: a name and a text. */
export interface Metadata {
  readonly key: string;
  /** The text, or the part of it that was read. */
  readonly value: string;
  /** Size of the whole text in UTF-8. */
  readonly bytes: number;
}

/** Most entries that are read; exporters write a dozen. */
const MOST_ENTRIES = 100;
const MOST_KEY_BYTES = 256;
/** Most bytes of all texts together: the names of 20 000 classes take half a megabyte. */
const MOST_VALUE_BYTES = 1024 * 1024;

/** Collects the `metadata_props` of a file while its fields are read. Source: ModelProto in onnx.proto. */
export function gatherMetadata(source: ByteSource) {
  const entries: Metadata[] = [];
  let left = MOST_VALUE_BYTES;
  return {
    entries: entries as readonly Metadata[],
    /** Accepts any field of the model. */
    take: (field: Field): void => {
      if (field.number !== MODEL.metadata || entries.length >= MOST_ENTRIES) return;
      let [key, value]: [Field | undefined, Field | undefined] = [undefined, undefined];
      for (const part of readFields(source, field.start, field.end)) {
        if (part.number === STRING_ENTRY.key) key = part;
        if (part.number === STRING_ENTRY.value) value = part;
      }
      if (!key) return;
      const bytes = value ? value.end - value.start : 0;
      const read = value ? readText(source, { ...value, end: value.start + Math.min(bytes, left) }) : '';
      left -= Math.min(bytes, left);
      entries.push({
        key: readText(source, { ...key, end: Math.min(key.end, key.start + MOST_KEY_BYTES) }),
        value: read,
        bytes,
      });
    },
  };
}
