import type { Column } from '../../../shared/values/cell.ts';
import type { TextInput } from '../../../shared/values/contract.ts';
import type { InputKind } from '../../../shared/values/input.ts';
import { takesJson } from '../../../shared/values/instances.ts';
import { columnAt, type RowFormat } from '../../../shared/values/row.ts';
import { CommandError } from '../console.ts';
import { type FoundModel, look } from '../find-model.ts';
import { separatorHint } from './read-rows.ts';
import type { RowSource } from './row-source.ts';
import type { TakenCells } from './to-input.ts';

/** Which parts of an input a model uses. */
export interface BoundSource {
  readonly kind: InputKind;
  /** Its cells of a table. */
  readonly columns: TakenCells;
  /** Names of the graph's inputs. */
  readonly inputs: readonly string[];
  /** What was assumed, for the user to check. */
  readonly note: string | undefined;
  /** The labels that it can answer with; undefined for tasks without labels. */
  readonly labels: readonly string[] | undefined;
  /** Names of the outputs that it gives for each row; undefined for tasks that turn them into a prediction. */
  readonly outputs: readonly string[] | undefined;
  /** Whether the scores of these labels are known to be probabilities. */
  readonly areProbabilities: boolean;
}

/**
 * Finds out which parts of an input a model uses, before any row is run.
 *
 * @throws CommandError when it could take none of the rows
 */
export async function bindSource(opened: FoundModel, source: RowSource): Promise<BoundSource> {
  return await look(opened, ({ contract, task, session }) => {
    const { kind, gives, textInput } = contract;
    checkKind(kind, source, opened.title);
    const isJson = takesJson(contract);
    return {
      kind,
      columns: isJson
        ? { names: source.names }
        : bindColumnsOf(kind, source, task.preprocessor?.features, textInput),
      inputs: session.inputs.map(({ name }) => name),
      note: isJson ? undefined : noteOf(kind, source, task.preprocessor?.features),
      labels: task.labels?.map(String),
      outputs: gives === 'rows' ? session.outputs.map(({ name }) => name) : undefined,
      areProbabilities: task.postprocessor?.areProbabilities ?? false,
    };
  });
}

/** What each kind of model takes: the kinds of input, and their description for messages. */
const TAKEN: Readonly<
  Record<InputKind, { readonly by: readonly RowSource['kind'][]; readonly words: string }>
> = {
  features: { by: ['table', 'lines'], words: 'rows; use a .csv, .tsv or .jsonl file' },
  text: { by: ['table', 'lines'], words: 'texts; use a .csv, .tsv or .jsonl file' },
  image: {
    by: ['folder', 'lines'],
    words: 'images; use a folder of images, or a .jsonl file with {"image": "<base64>"} in each line',
  },
  tensors: {
    by: ['lines'],
    words: 'tensors; use a .jsonl file with {"inputs": {"<name>": ...}} in each line',
  },
};

function checkKind(kind: InputKind, source: RowSource, title: string): void {
  const { by, words } = TAKEN[kind];
  if (!by.includes(source.kind)) throw new CommandError(`The model ${title} takes ${words}.`);
}

/** The names that a model has for its columns; empty if it has none. */
export async function columnNames(opened: FoundModel): Promise<readonly string[]> {
  return await look(opened, ({ task }) => task.preprocessor?.features?.named?.map(({ name }) => name) ?? []);
}

/** A first row that only looks like names must not be skipped silently. */
function noteOf(
  kind: InputKind,
  { kind: form, names, areNamesGuessed = false }: RowSource,
  format: RowFormat | undefined,
): string | undefined {
  if (form !== 'table' || !names || !areNamesGuessed) return undefined;
  const isKnown = kind === 'text' ? names.includes('text') : format?.named !== undefined;
  if (isKnown) return undefined;
  const order = kind === 'text' ? '' : '; the model has no names, so it gets the cells in their order';
  return `The first row is read as the names of the columns (${listNames(names)})${order}. If it is data, add --header absent.`;
}

function bindColumnsOf(
  kind: InputKind,
  { kind: form, names }: RowSource,
  format: RowFormat | undefined,
  textInput: TextInput | undefined,
): TakenCells {
  if (form !== 'table') return undefined;
  if (kind === 'text') {
    const pair = textInput?.takesPairs ? (names?.indexOf('text_pair') ?? -1) : -1;
    return [findText(names), ...(pair === -1 ? [] : [pair])].map((index) => ({ index, column: TEXT }));
  }
  if (!format?.named) return format?.columns;
  const wanted = format.named.map(({ name }) => name);
  if (names) checkNames(names, wanted);
  return wanted.map((name, index) => {
    return { index: names ? names.indexOf(name) : index, column: columnAt(format.columns, index) };
  });
}

const TEXT: Column = { type: 'string' };

/** The column "text", or the only one. */
function findText(names: readonly string[] | undefined): number {
  if (!names) return 0;
  const index = names.indexOf('text');
  if (index !== -1) return index;
  if (names.length === 1) return 0;
  throw new CommandError(
    `The table has no column "text"; its columns are ${listNames(names)}.${hint(names, ['text'])}`,
  );
}

function checkNames(names: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((name) => !names.includes(name));
  const repeated = wanted.filter((name) => names.indexOf(name) !== names.lastIndexOf(name));
  const problems = [
    ...(missing.length > 0
      ? [`The table has no ${columnsOf(missing)}; its columns are ${listNames(names)}.${hint(names, wanted)}`]
      : []),
    ...(repeated.length > 0
      ? [`The table has the ${columnsOf(repeated)} more than once; expected each name once.`]
      : []),
  ];
  if (problems.length > 0) throw new CommandError(problems.join(' '));
}

function columnsOf(names: readonly string[]): string {
  return `${names.length === 1 ? 'column' : 'columns'} ${listNames(names)}`;
}

const MOST_NAMES = 20;

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => JSON.stringify(name.slice(0, 200)));
  return names.length > MOST_NAMES
    ? `${shown.join(', ')} and ${names.length - MOST_NAMES} more`
    : shown.join(', ');
}

/** The likely cause when none of the names fits. */
function hint(names: readonly string[], wanted: readonly string[]): string {
  if (names.some((name) => wanted.includes(name))) return '';
  return separatorHint(names) || ' If its first row holds no names, add --header absent.';
}
