import { ATTRIBUTE, NODE } from './fields.ts';
import { readMembers } from './members.ts';
import { type ByteSource, type Field, readText, readVarints } from './protobuf.ts';

export const ZIP_MAP = 'ai.onnx.ml.ZipMap';

/** A scikit-learn classifier's last node: it turns the probability matrix into a sequence of maps. */
export interface ZipMap {
  /** Name of the probability matrix. */
  readonly input: string;
  readonly output: string;
  readonly labels: readonly string[] | readonly number[];
}

/** The content of a ZipMap node. */
export function readZipMap(source: ByteSource, node: Field): ZipMap {
  const members = readMembers(source, node);
  const strings: string[] = [];
  const integers: number[] = [];
  for (const attribute of members.all(NODE.attribute)) {
    const parts = readMembers(source, attribute);
    const name = parts.text(ATTRIBUTE.name);
    if (name === 'classlabels_strings') {
      for (const entry of parts.all(ATTRIBUTE.strings)) strings.push(readText(source, entry));
    }
    if (name === 'classlabels_int64s') {
      for (const entry of parts.all(ATTRIBUTE.ints)) {
        for (const value of readVarints(source, entry)) integers.push(value);
      }
    }
  }
  const labels = strings.length > 0 ? strings : integers;
  return { input: members.text(NODE.input), output: members.text(NODE.output), labels };
}
