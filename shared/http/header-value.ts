/**
 * Whether a text can be the value of a header without changes. `Headers` accepts more than Node sends: control
 * characters, which a terminal that shows the answer would act on. Source: RFC 9110, section 5.5.
 */
export function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

/** A client's text as the value of a header: percent-encoded, as in a path, if it cannot be one otherwise. */
export function toHeaderValue(text: string): string {
  return isHeaderValue(text) ? text : encodeURIComponent(text.toWellFormed());
}
