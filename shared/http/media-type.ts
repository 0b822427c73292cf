/** The media type of a Content-Type header in lower case, without parameters; '' when the header is missing. */
export function mediaTypeOf(headers: Headers): string {
  const [type = ''] = (headers.get('content-type') ?? '').split(';', 1);
  return type.trim().toLowerCase();
}

/** A parameter of the Content-Type header in lower case, such as `charset`; undefined when it is not there. */
export function typeParameter(headers: Headers, name: string): string | undefined {
  const [, ...parameters] = (headers.get('content-type') ?? '').split(';');
  for (const parameter of parameters) {
    const [key = '', ...value] = parameter.split('=');
    if (key.trim().toLowerCase() !== name) continue;
    return value
      .join('=')
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase();
  }
  return undefined;
}

export function isJsonType(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json');
}
