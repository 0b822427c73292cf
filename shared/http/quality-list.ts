/** What a client accepts, as a header such as Accept or Accept-Encoding says. */
export interface Preference {
  /** In lower case, without parameters. */
  readonly value: string;
  /** From 0, not at all, to 1. */
  readonly weight: number;
}

/**
 * The preferences of a header in its order. A weight that is not a number is ignored: the weight is then 1. Source: RFC
 * 9110, sections 5.6.1 and 12.4.2.
 *
 * @param header null if the request does not have it; the list is then empty
 */
export function parseQualityList(header: string | null | undefined): readonly Preference[] {
  return (header ?? '')
    .split(',')
    .map(parsePreference)
    .filter(({ value }) => value !== '');
}

function parsePreference(text: string): Preference {
  const [value = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const weight = given ? Number(given) : 1;
  return { value, weight: Number.isNaN(weight) ? 1 : Math.min(1, Math.max(0, weight)) };
}
