/** One number of a server, as the text format of Prometheus has it. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The numbers of a server at one moment. */
export interface Reading {
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
  /** By the name of the series. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/s;
/** Each begins where the one before ends, so that the time for a line grows with its length alone. */
const LABEL = /[ ,]*(\w+)="([^"\\]*(?:\\.[^"\\]*)*)"/gsy;

/** Reads the text format of Prometheus, version 0.0.4. Lines that are not numbers are passed over. */
export function readMetrics(text: string): Reading['samples'] {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', number] = LINE.exec(line) ?? [];
    if (name === undefined || number === undefined) continue;
    const known = samples.get(name) ?? [];
    samples.set(name, known);
    known.push({ labels: readLabels(labels), value: readNumber(number) });
  }
  return samples;
}

function readLabels(text: string): Sample['labels'] {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, withoutEscapes(value)]),
  );
}

function withoutEscapes(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character));
}

function readNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
