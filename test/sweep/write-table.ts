import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { PROJECT } from '../support/project.ts';
import type { Feeds } from './conditions.ts';
import type { Tally } from './find-failures.ts';
import { SUITE_VERSION } from './read-suite.ts';

/** One way in which an operator ends the process: an entry of operators.json. */
export interface FailureEntry {
  readonly outcome: 'crash' | 'hang' | 'memory';
  readonly signal?: string;
  /** What the model leaves open: only the sizes of its axes, or also the numbers of axes; or an attribute of its file. */
  readonly open: 'sizes' | 'ranks' | 'attributes';
  /** The attribute that is changed. */
  readonly attribute?: string;
  /** The input that is left out, where that alone ends the process. */
  readonly without?: string;
  /** Names the case, where the cases of its operator are distinguished. */
  readonly label?: string;
  readonly condition: string;
  readonly case: string;
  readonly variant: string;
  readonly opset: number;
  readonly attributes: string;
  /** The smallest inputs that were found: type, shape and values. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Other conditions that end the process in this way. */
  readonly alsoFailed: readonly string[];
  readonly printed?: string;
  readonly checked?: boolean;
}

export interface OperatorEntry {
  readonly domain: string;
  readonly operator: string;
  readonly outcome: 'ok' | 'memory' | 'hang' | 'crash' | 'not loaded';
  /** Models that were run: cases of the suite and their variants. */
  readonly models: number;
  readonly ok: number;
  readonly refused: number;
  readonly failures: readonly FailureEntry[];
  readonly refusal?: string;
}

/** Stands for the inputs if the process ends before anything is fed. */
export const LOADING = 'the model is loaded';

const LONGEST_LIST = 8;

const WORST = ['crash', 'hang', 'memory'] as const;

export function describeTally(tally: Tally, failures: readonly FailureEntry[]): OperatorEntry {
  const { domain, operator, ok, refused, loaded } = tally;
  const worst = WORST.find((outcome) => failures.some((failure) => failure.outcome === outcome));
  return {
    domain,
    operator,
    outcome: worst ?? (loaded > 0 ? 'ok' : 'not loaded'),
    models: loaded,
    ok,
    refused,
    failures,
    ...(loaded === 0 && { refusal: tally.refusal }),
  };
}

/** Type, shape and values of each input; of long lists without a common value, the shape alone. */
export function describeFeeds(feeds: Feeds): Record<string, string> {
  return Object.fromEntries(
    [...feeds].map(([name, { datatype, shape, data }]) => [
      name,
      `${datatype} ${JSON.stringify(shape)}${describeValues(Array.from<unknown, string>(data, describeValue))}`,
    ]),
  );
}

function describeValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 20)) : String(value);
}

function describeValues(values: readonly string[]): string {
  if (values.length === 0) return '';
  if (values.every((value) => value === values[0])) return ` all ${values[0]}`;
  return values.length > LONGEST_LIST ? ' …' : ` ${values.join(', ')}`;
}

/** The version of ONNX Runtime that is installed. */
export function readRuntimeVersion(): string {
  const manifest = readFileSync(join(PROJECT, 'node_modules/onnxruntime-node/package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}

/** The entries of the table as it is. */
export function readEntries(folder: string, runtime: string): readonly OperatorEntry[] {
  const table = JSON.parse(readFileSync(join(folder, 'operators.json'), 'utf8')) as Table;
  if (table.runtime !== runtime) {
    throw new Error(`the table is of ONNX Runtime ${table.runtime}, not of ${runtime}: sweep all operators`);
  }
  return table.operators;
}

export function writeTables(folder: string, runtime: string, entries: readonly OperatorEntry[]): void {
  const sorted = entries.toSorted(
    (a, b) => a.domain.localeCompare(b.domain) || a.operator.localeCompare(b.operator),
  );
  const sum = (count: (entry: OperatorEntry) => number) =>
    sorted.reduce((total, entry) => total + count(entry), 0);
  const totals = {
    operators: sorted.length,
    models: sum(({ models }) => models),
    ok: sum(({ ok }) => ok),
    refused: sum(({ refused }) => refused),
  };
  const table = {
    runtime,
    platform: `${process.platform} ${process.arch}`,
    suite: SUITE_VERSION,
    totals,
    operators: sorted,
  };
  writeFileSync(join(folder, 'operators.json'), `${JSON.stringify(table, null, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), toMarkdown(table));
}

interface Table {
  readonly runtime: string;
  readonly platform: string;
  readonly suite: string;
  readonly totals: {
    readonly operators: number;
    readonly models: number;
    readonly ok: number;
    readonly refused: number;
  };
  readonly operators: readonly OperatorEntry[];
}

function toMarkdown({ runtime, platform, suite, totals, operators }: Table): string {
  const named = (outcome: OperatorEntry['outcome']) => operators.filter((entry) => entry.outcome === outcome);
  const rows = WORST.flatMap((outcome) =>
    operators.flatMap((entry) =>
      alike(entry.failures.filter((failure) => failure.outcome === outcome)).map(([failure, others]) =>
        toRow(entry, failure, others),
      ),
    ),
  );
  const list = (entries: readonly OperatorEntry[]) => entries.map(nameOf).join(', ');
  return `# Operators that end the process

Written by \`npm run sweep\`; do not edit. It runs each operator of the ONNX backend suite ${suite}, of ai.onnx.ml and of
com.microsoft with inputs that a client can send: axes of 0, 1 and sizes that do not fit, values at and beyond the limits of
their types, indices and lengths out of range, and inputs and types that are left out or exchanged. Each numeric attribute is
set to the limits of its type, to lists that are too short or too long, and left out. Names that begin with "fused." stand for
graphs of plain operators with declared shapes; the runtime fuses them into the operator when it loads them. The server has to
survive each failure: \`npm run sweep:served\` sends it there.

ONNX Runtime ${runtime} on ${platform}: ${totals.operators} operators in ${totals.models.toLocaleString('en')} models, ${totals.ok.toLocaleString('en')} runs answered, ${totals.refused.toLocaleString('en')} refused with an error.

- crash: the process ended by a signal. hang: no answer within 10 s of processor time. memory: more than 2 GB.
- "open sizes": a model that declares the number of axes of its inputs fails. "open ranks": it takes an input whose
  number of axes is not declared. "open attributes": the file has an attribute that no honest file has.
- "more such cases": other equations, patterns or types. operators.json lists all of them.
- "checked": memory is damaged; only a C library that checks each allocation shows it.

| operator | outcome | open | smallest inputs | model | operator set |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Without a failure

${list(named('ok'))}.

## Not run

The runtime has no implementation of these operators for the processor, or clients cannot feed the model:
${list(named('not loaded'))}.
`;
}

/** The first failure of each kind, with the number of the others: those that other labelled cases of an operator have. */
function alike(failures: readonly FailureEntry[]): [FailureEntry, number][] {
  const keyOf = ({ signal, open, attribute, without }: FailureEntry) =>
    [signal, open, attribute, without].join('|');
  const firsts = failures.filter(
    (failure, at) => failures.findIndex((other) => keyOf(other) === keyOf(failure)) === at,
  );
  return firsts.map((first) => [
    first,
    failures.filter((failure) => keyOf(failure) === keyOf(first)).length - 1,
  ]);
}

function toRow(entry: OperatorEntry, failure: FailureEntry, others: number): string {
  const inputs = Object.entries(failure.inputs).map(([name, value]) => `${name}: ${value}`);
  const outcome = [
    failure.outcome,
    failure.outcome === 'crash' ? failure.signal : '',
    failure.checked ? 'checked' : '',
  ].filter(Boolean);
  const cells = [
    nameOf(entry),
    outcome.join(', '),
    failure.open,
    failure.condition === LOADING ? LOADING : inputs.join('; '),
    [
      failure.variant === 'no shapes declared' ? '' : failure.variant,
      failure.attributes,
      others > 0 ? `${others} more such cases` : '',
    ]
      .filter(Boolean)
      .join('; '),
    String(failure.opset),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function nameOf({ domain, operator }: OperatorEntry): string {
  return domain ? `${domain}.${operator}` : operator;
}
