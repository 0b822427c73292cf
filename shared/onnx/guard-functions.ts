import { FUNCTION, MODEL } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, readFields } from './protobuf.ts';
import { nameOperator } from './walk.ts';

/** The operators that the functions of a model define. */
export function readFunctions(source: ByteSource): ReadonlySet<string> {
  const functions = readFields(source, 0, source.length, (number) => number === MODEL.function);
  const name = (field: Parameters<typeof readName>[1]) =>
    nameOperator(readName(source, field, FUNCTION.domain), readName(source, field, FUNCTION.name));
  return new Set([...functions].map(name));
}
