import { basename } from 'node:path';
import { MissingPackageError } from '../errors.ts';
import { LACKS_LOCALE } from '../runtime/open-model-file.ts';

/** Frequent refusals of ONNX Runtime, rewritten without paths. The original goes to the log. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /external data|GetExtDataFromTensorProto|filesystem error|\.data\b.*(not exist|cannot open)/i,
    'its external data file is missing, is outside its folder, or cannot be read',
  ],
  [
    /opset \d+ is (under development|not supported)|ONNX Runtime only \*guarantees\* support/i,
    'its operator set is too new for the runtime',
  ],
  [
    /No Op registered for|is not a registered function\/op|Could not find an implementation/i,
    'it uses an operator that the runtime does not have',
  ],
  [LACKS_LOCALE, 'its StringNormalizer needs the locale C.UTF-8 or en_US.UTF-8, which this host lacks'],
  [/std::bad_alloc|not enough memory|out of memory/i, 'it does not fit into the memory of this host'],
];

/** Why the runtime refuses a model, for clients. */
export function explainRefusal(error: unknown, modelFile: string): string {
  if (error instanceof MissingPackageError) return error.message;
  const text = error instanceof Error ? error.message : '';
  if (/protobuf parsing failed/i.test(text)) return `its ${basename(modelFile)} is damaged or truncated`;
  return (
    REFUSALS.find(([pattern]) => pattern.test(text))?.[1] ?? 'the runtime refuses its graph; the log says why'
  );
}
