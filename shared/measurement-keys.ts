/** What own code says about something that it counts, such as a reason: few names, each with few values. */
export type MeasurementLabels = Readonly<Record<string, string>>;

/** Source: the data model of Prometheus. */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;

/** None of these characters has a meaning in a key. */
const VALUE = /^[\p{L}\p{N} ._:/+-]{1,64}$/u;

/** The metrics have these themselves. */
const TAKEN = ['name', 'model', 'version'];

const MOST_LABELS = 4;

/** Each is a series of a metric. Others are counted together. */
const MOST_COMBINATIONS = 100;

/** Names of a version of a model. Own code that makes them of its input would have more and more of them. */
const MOST_NAMES = 200;

/** The name, or the value of all labels, of what is counted together. */
const OTHER = 'other';

/** Features of a model with counts of their own. Those after them are counted together. */
export const MOST_FEATURES = 200;

/** The name under which the values of a feature are counted: its own, or one for all after the first 200. */
export function countedName(features: readonly { readonly name: string }[], index: number): string {
  return (index < MOST_FEATURES ? features[index]?.name : undefined) ?? OTHER;
}

/**
 * A name with its labels as one text, as the log line has it: `unsure{reason=blurred}`.
 *
 * @throws Error that says what is wrong with a name or a value
 */
export function keyOf(name: string, labels: MeasurementLabels = {}): string {
  if (!NAME.test(name)) {
    throw new Error(
      `${quote(name)} cannot be counted: a name has up to 64 letters, digits and _, and does not begin with a digit`,
    );
  }
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return name;
  if (entries.length > MOST_LABELS) {
    throw new Error(`"${name}" has ${entries.length} labels; expected at most ${MOST_LABELS}`);
  }
  for (const [label, value] of entries) checkLabel(name, label, value);
  return writeKey(name, entries);
}

function checkLabel(name: string, label: string, value: unknown): void {
  if (!NAME.test(label) || label.startsWith('__')) {
    throw new Error(
      `"${name}" has the label ${quote(label)}; the name of a label has up to 64 letters, digits and _, and does not begin with a digit or __`,
    );
  }
  if (TAKEN.includes(label)) {
    throw new Error(
      `"${name}" has the label "${label}", which its metric has already; expected another name`,
    );
  }
  if (typeof value !== 'string' || !VALUE.test(value)) {
    // The value stays out of the log, because it can be the input of a client.
    const found = typeof value === 'string' ? `a text of ${value.length} characters` : `a ${typeof value}`;
    throw new Error(
      `The label "${label}" of "${name}" is ${found}; expected 1 to 64 letters, digits, spaces and . _ : / + -`,
    );
  }
}

function quote(name: string): string {
  return JSON.stringify(String(name).slice(0, 70));
}

function writeKey(name: string, entries: readonly (readonly [string, string])[]): string {
  return `${name}{${entries.map(([label, value]) => `${label}=${value}`).join(',')}}`;
}

/** The name and the labels of a key. */
export function partsOf(key: string): { readonly name: string; readonly labels: MeasurementLabels } {
  const at = key.indexOf('{');
  if (at === -1) return { name: key, labels: {} };
  const pairs = key.slice(at + 1, -1).split(',');
  return {
    name: key.slice(0, at),
    labels: Object.fromEntries(
      pairs.map((pair) => pair.split('=', 2)).map(([label = '', value = '']) => [label, value]),
    ),
  };
}

/**
 * The key under which something is counted in all requests: its own, or one for all names after the first 200.
 *
 * @param names those until now; a new one is added
 */
export function boundName(key: string, names: Set<string>): string {
  const at = key.indexOf('{');
  const name = at === -1 ? key : key.slice(0, at);
  if (names.has(name)) return key;
  if (names.size === MOST_NAMES) return OTHER;
  names.add(name);
  return key;
}

/**
 * The key under which something is counted: its own, or the one for all others once its name has 100 combinations of labels.
 *
 * @param known what was counted until now
 */
export function boundKey(key: string, known: ReadonlyMap<string, unknown>): string {
  const at = key.indexOf('{');
  if (at === -1 || known.has(key)) return key;
  const prefix = key.slice(0, at + 1);
  const siblings = [...known.keys()].filter((each) => each.startsWith(prefix));
  const [first] = siblings;
  if (first === undefined || siblings.length < MOST_COMBINATIONS) return key;
  const { name, labels } = partsOf(first);
  return writeKey(
    name,
    Object.keys(labels).map((label) => [label, OTHER]),
  );
}
