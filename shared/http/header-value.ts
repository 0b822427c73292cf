/**
 * Whether a text can be the value of a header as it is. `Headers` accepts more than Node sends: control characters,
 * which a terminal that shows the answer would act on. Source: RFC 9110, section 5.5.
 */
export function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

/** A text of a client as the value of a header: percent-encoded, as in a path, where it could not be one otherwise. */
export function toHeaderValue(text: string): string {
  return isHeaderValue(text) ? text : encodeURIComponent(text.toWellFormed());
}
