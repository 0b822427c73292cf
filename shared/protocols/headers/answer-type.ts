import { InferenceError } from '../../errors.ts';
import { chooseMediaType } from '../../http/accept.ts';
import { CSV_TYPE } from '../../http/media-type.ts';
import { isLinesType, LINES_TYPES } from '../../values/lines.ts';

export const JSON_TYPE = 'application/json';
export const NPY_TYPE = 'application/x-npy';
export const NPZ_TYPE = 'application/x-npz';

/** The types an answer can have, the usual one first. */
const ANSWER_TYPES = [JSON_TYPE, ...LINES_TYPES, CSV_TYPE, NPY_TYPE, NPZ_TYPE] as const;
export type AnswerType = (typeof ANSWER_TYPES)[number];

/**
 * The type of an answer. Clients of SageMaker that ask for a stream use a separate header.
 *
 * @param usual the type if the request has no preference
 * @throws InferenceError NOT_ACCEPTABLE when the request takes none of the types an answer can have
 */
export function chooseAnswerType(headers: Headers, usual: AnswerType = JSON_TYPE): AnswerType {
  const accept = headers.get('x-amzn-sagemaker-accept') ?? headers.get('accept');
  const type = chooseMediaType(accept, [usual, ...ANSWER_TYPES]);
  if (type !== undefined) return type;
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The request accepts only ${JSON.stringify((accept ?? '').slice(0, 100))}; an answer can be ${ANSWER_TYPES.join(', ')}.`,
  );
}

/** Whether an answer of this type has one line per instance, so that a line can hold its own error. */
export function hasLines(type: AnswerType): boolean {
  return type === CSV_TYPE || isLinesType(type);
}
