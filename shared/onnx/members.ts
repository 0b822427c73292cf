import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';

/** A small message with its members by number. As in protocol buffers, the last value of a singular field counts. */
export function readMembers(source: ByteSource, field: Field) {
  const members = [...readFields(source, field.start, field.end)];
  const all = (number: number) => members.filter((member) => member.number === number);
  return {
    all,
    text: (number: number) => {
      const last = all(number).at(-1);
      return last ? readText(source, last) : '';
    },
    number: (number: number) => all(number).at(-1)?.value ?? 0,
  };
}
