import { overLimit } from '../errors.ts';

/** How many texts are joined at a time: an array of millions of short texts takes several times their memory. */
const AT_ONCE = 1024;

/**
 * Writes what stands at each place from `start` to `end` (exclusive), with commas between. A long text takes no more
 * memory than its own size. It yields at points where the work can pause.
 *
 * @param limitBytes most characters of the whole text; each character takes at least one byte
 * @throws InferenceError PAYLOAD_TOO_LARGE naming MAX_ANSWER_BYTES as soon as the text is longer
 */
export function* joinInSteps(
  start: number,
  end: number,
  write: (index: number) => string,
  limitBytes: number,
): Generator<undefined, string> {
  let text = '';
  for (let from = start; from < end; from += AT_ONCE) {
    const some = new Array<string>(Math.min(AT_ONCE, end - from));
    for (let i = 0; i < some.length; i++) some[i] = write(from + i);
    text += `${from === start ? '' : ','}${some.join(',')}`;
    checkAnswerSize(text.length, limitBytes);
    yield;
  }
  return text;
}

/** The same at once. */
export function joinEach(...parts: Parameters<typeof joinInSteps>): string {
  const steps = joinInSteps(...parts);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** @throws InferenceError PAYLOAD_TOO_LARGE naming MAX_ANSWER_BYTES when an answer has more bytes than that */
export function checkAnswerSize(bytes: number, limitBytes: number): void {
  if (bytes <= limitBytes) return;
  throw overLimit(
    `The answer has more than ${limitBytes} bytes, which is the limit (MAX_ANSWER_BYTES); send less at once, or ask for fewer outputs.`,
  );
}
