import { memoize } from '../memo.ts';
import { readParameters } from './header-parameters.ts';

export const CSV_TYPE = 'text/csv';

/** Forms with files. */
export const FORM_TYPE = 'multipart/form-data';

/** The media type of a Content-Type header in lower case, without parameters; '' when the header is missing. */
export function mediaTypeOf(headers: Headers): string {
  return mediaTypeIn(headers.get('content-type') ?? '');
}

const mediaTypeIn = memoize((header) => (header.split(';', 1)[0] ?? '').trim().toLowerCase());

/** A parameter of the Content-Type header in lower case, such as `charset`; undefined when it is not there. */
export function typeParameter(headers: Headers, name: string): string | undefined {
  return parametersIn(headers.get('content-type') ?? '')
    ?.parameters.get(name)
    ?.toLowerCase();
}

/** Null if they cannot be separated. */
const parametersIn = memoize((header) => readParameters(header) ?? null);

export function isJsonType(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json');
}
