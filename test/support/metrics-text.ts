/** A sample of a text of metrics. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const LABELS = String.raw`\{(?:${LABEL}(?:,${LABEL})*)?\}`;
const NUMBER = String.raw`(?:[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|[-+]Inf|NaN)`;
const SAMPLE = new RegExp(`^(${NAME})(${LABELS})? (${NUMBER})$`);
const EXEMPLAR = new RegExp(` # (${LABELS}) ${NUMBER}(?: ${NUMBER})?$`);

/** What the names of the samples of a type may have after the name of their family. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  unknown: [''],
  summary: ['', '_sum', '_count'],
  histogram: ['_bucket', '_sum', '_count'],
};

/**
 * Reads metrics in the text format of Prometheus, version 0.0.4.
 *
 * @throws Error with the line that breaks a rule of the format
 */
export function parsePrometheus(text: string): readonly ParsedFamily[] {
  if (!text.endsWith('\n')) throw new Error('The text does not end with a new line.');
  return parseFamilies(text.slice(0, -1).split('\n'), SUFFIXES);
}

/**
 * Reads metrics in OpenMetrics 1.0. Samples of counters end in `_total`, and buckets and counters alone have exemplars.
 *
 * @throws Error with the line that breaks a rule of the format
 */
export function parseOpenMetrics(text: string): readonly ParsedFamily[] {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== '# EOF') throw new Error('The text does not end with "# EOF".');
  const plain = lines.map((line) => {
    const exemplar = EXEMPLAR.exec(line);
    if (!exemplar) return line;
    if (!/^\S+_(bucket|total)\b/.test(line))
      throw new Error(`Only buckets and counters have exemplars: ${line}`);
    return line.slice(0, exemplar.index);
  });
  const families = parseFamilies(plain, { ...SUFFIXES, counter: ['_total', '_created'] });
  // A name with the suffix of another family would be read as a sample of that family.
  const all = families.flatMap(({ name, type }) =>
    (SUFFIXES[type] ?? []).map((suffix) => `${name}${type === 'counter' ? '_total' : suffix}`),
  );
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two families have samples named ${twice}.`);
  return families;
}

function parseFamilies(
  lines: readonly string[],
  suffixes: Readonly<Record<string, readonly string[]>>,
): readonly ParsedFamily[] {
  const families: { name: string; type: string; help: string; samples: ParsedSample[] }[] = [];
  for (const line of lines) {
    const [, help, helped, text = ''] = /^# (HELP) (\S+) (.*)$/.exec(line) ?? [];
    const [, typed, type = ''] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? [];
    const last = families.at(-1);
    if (help !== undefined && helped !== undefined) {
      if (!new RegExp(`^${NAME}$`).test(helped)) throw new Error(`A name has other characters: ${line}`);
      if (families.some(({ name }) => name === helped)) throw new Error(`A family comes twice: ${line}`);
      families.push({ name: helped, type: '', help: text, samples: [] });
    } else if (typed !== undefined) {
      if (last?.name !== typed || last.type !== '') throw new Error(`A type stands alone: ${line}`);
      if (suffixes[type] === undefined) throw new Error(`An unknown type: ${line}`);
      last.type = type;
    } else {
      const [, name, labels = '', number = ''] = SAMPLE.exec(line) ?? [];
      if (name === undefined) throw new Error(`No sample: ${line}`);
      const isOwn = suffixes[last?.type ?? '']?.some((suffix) => name === `${last?.name}${suffix}`);
      if (!last || !isOwn) throw new Error(`A sample of another family than ${last?.name}: ${line}`);
      last.samples.push({ name, labels: parseLabels(labels), value: parseNumber(number) });
    }
  }
  families.forEach(checkFamily);
  return families;
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const pairs = text.slice(1, -1).match(new RegExp(LABEL, 'g')) ?? [];
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    const value = pair
      .slice(at + 2, -1)
      .replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    return [pair.slice(0, at), value];
  });
  const labels = Object.fromEntries(entries);
  if (Object.keys(labels).length !== entries.length) throw new Error(`A label comes twice: ${text}`);
  return labels;
}

function parseNumber(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

function checkFamily({ name, type, samples }: ParsedFamily): void {
  if (samples.length === 0) throw new Error(`The family ${name} has no samples.`);
  const keys = samples.map(
    (sample) => `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`,
  );
  if (new Set(keys).size !== keys.length) throw new Error(`Two samples of ${name} have the same labels.`);
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`The counter ${name} has a value that is not a number from 0 on.`);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

/** Buckets have ends that rise and counts that do not fall, and the last one has all values. */
function checkHistogram(name: string, samples: readonly ParsedSample[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const ends = buckets.map((bucket) => parseNumber(bucket.labels.le ?? 'NaN'));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const hasSum = group.some((sample) => sample.name === `${name}_sum`);
    const rises = buckets.every(
      ({ value }, index) =>
        index === 0 ||
        ((ends[index] ?? 0) > (ends[index - 1] ?? 0) && value >= (buckets[index - 1]?.value ?? 0)),
    );
    if (!rises || !hasSum || ends.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count) {
      throw new Error(`The histogram ${name} is wrong for ${labels}.`);
    }
  }
}
