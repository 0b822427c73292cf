import { readParameters } from './header-parameters.ts';

/** The media type of a Content-Type header in lower case, without parameters; '' when the header is missing. */
export function mediaTypeOf(headers: Headers): string {
  const [type = ''] = (headers.get('content-type') ?? '').split(';', 1);
  return type.trim().toLowerCase();
}

/** A parameter of the Content-Type header in lower case, such as `charset`; undefined when it is not there. */
export function typeParameter(headers: Headers, name: string): string | undefined {
  return readParameters(headers.get('content-type') ?? '')
    ?.parameters.get(name)
    ?.toLowerCase();
}

export function isJsonType(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json');
}
