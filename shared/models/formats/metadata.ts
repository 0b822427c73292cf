import type { Metadata } from '../../onnx/metadata.ts';
import type { ConfigReader, ModelConfig } from '../model-config.ts';
import type { GraphView } from './format-folder.ts';
import { addLabels, countClasses, findUnnamedScores, parseLabels } from './labels.ts';

/** Keys for the names of classes, as Paddle, Ultralytics and other exporters write them. */
const LABEL_KEYS = ['character', 'names', 'labels', 'classes', 'class_names'];
/** Key for the names of columns, as converters of LightGBM write it. */
const COLUMN_KEYS = ['feature_names'];

/**
 * Adds to a config what only the metadata of its graph say: labels, if their number is that of the classes, and names
 * of the columns of a matrix, if their number is that of the columns. Metadata may use the same key for something else,
 * so values that do not fit are ignored.
 */
export function withMetadata(config: ModelConfig, view: GraphView, reader: ConfigReader): ModelConfig {
  const { metadata } = view.graph;
  if (metadata.length === 0) return config;
  const scores = findUnnamedScores(config, view, reader);
  const classes = scores && countClasses(scores, view);
  const labels = classes === undefined ? undefined : findList(metadata, LABEL_KEYS, classes, readNames);
  const names = lacksFeatures(config) ? findColumnNames(view) : undefined;
  return {
    ...(labels ? addLabels(config, labels, reader) : config),
    ...(names && { features: names.map((name) => ({ name })) }),
  };
}

function lacksFeatures({ task, features }: ModelConfig): boolean {
  return task.startsWith('tabular') && features === undefined;
}

/** If each column has its own input, the input names the column. */
function findColumnNames({ inputs, graph }: GraphView): readonly string[] | undefined {
  const [matrix, ...others] = inputs;
  return others.length > 0 ? undefined : nameColumns(graph.metadata, matrix?.shape[1] ?? -1);
}

/** The names of this many columns in the metadata; undefined if their number differs or they are not distinct. */
export function nameColumns(metadata: readonly Metadata[], columns: number): readonly string[] | undefined {
  const names = findList(metadata, COLUMN_KEYS, columns, readLiteral);
  return names && new Set(names).size === names.length ? names : undefined;
}

/** The names under these keys; undefined if no key has this many, or if several do and differ. */
function findList(
  metadata: readonly Metadata[],
  keys: readonly string[],
  count: number,
  read: (text: string) => readonly string[] | undefined,
): readonly string[] | undefined {
  const [first, ...others] = metadata
    .filter(({ key, value, bytes }) => keys.includes(key) && Buffer.byteLength(value) === bytes)
    .flatMap(({ value }) => {
      const names = read(value);
      return names?.length === count && names.every(isSensible) ? [names] : [];
    });
  return others.every((other) => String(other) === String(first)) ? first : undefined;
}

/** Longest name; every answer repeats the names. */
const LONGEST_NAME = 200;

function isSensible(name: string): boolean {
  return name !== '' && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name);
}

/** Names as a list, as a dictionary by their numbers, one per line, or separated by commas. */
function readNames(text: string): readonly string[] | undefined {
  if (/^\s*[[{]/.test(text)) return readLiteral(text);
  if (text.includes('\n')) return parseLabels(text);
  const names = text.split(',').map((name) => name.trim());
  return names.length > 1 ? names : undefined;
}

/**
 * A list, or a dictionary of names by their numbers from 0, in the notation of JSON or Python; undefined for anything
 * else.
 */
function readLiteral(text: string): readonly string[] | undefined {
  try {
    return namesOf(JSON.parse(text));
  } catch {
    return readPython(text.trim());
  }
}

function namesOf(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const names: unknown[] = Array.isArray(value) ? value : inOrder(Object.entries(value));
  const isName = (name: unknown) => typeof name === 'string' || typeof name === 'number';
  return names.length > 0 && names.every(isName) ? names.map(String) : undefined;
}

/** The values of the keys 0, 1, 2 and so on; empty if one of these is missing. */
function inOrder(entries: readonly (readonly [string, unknown])[]): unknown[] {
  const values = new Map(entries);
  const names = entries.map((_, index) => values.get(String(index)));
  return values.size === entries.length && !names.includes(undefined) ? names : [];
}

const ENTRY = /\s*(?:(\d+)\s*:)?\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)/suy;

/** A list of strings or a dictionary of numbers to strings as `repr` writes them. Source: Python's lexical analysis. */
function readPython(text: string): readonly string[] | undefined {
  const isList = text.startsWith('[') && text.endsWith(']');
  if (!isList && !(text.startsWith('{') && text.endsWith('}'))) return undefined;
  const content = text.slice(1, -1);
  const entries: [string, string][] = [];
  ENTRY.lastIndex = 0;
  for (let end = 0; end < content.length; end = ENTRY.lastIndex) {
    const [, number, single, double] = ENTRY.exec(content) ?? [];
    const name = readEscapes(single ?? double);
    if (name === undefined || (number === undefined) !== isList) return undefined;
    entries.push([number ?? String(entries.length), name]);
  }
  return namesOf(inOrder(entries));
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  "'": "'",
  '"': '"',
  '\\': '\\',
};

/** Undefined if an escape is unknown. */
function readEscapes(text: string | undefined): string | undefined {
  let isKnown = true;
  const read = text?.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/gsu,
    (_, byte?: string, unit?: string, sign = '') => {
      const code = byte ?? unit;
      const meant = code === undefined ? ESCAPES[sign] : String.fromCharCode(Number.parseInt(code, 16));
      isKnown &&= meant !== undefined;
      return meant ?? '';
    },
  );
  return isKnown ? read : undefined;
}
