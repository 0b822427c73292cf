import type { Metadata } from '../../onnx/metadata.ts';
import type { ConfigReader, ModelConfig } from '../model-config.ts';
import type { GraphView } from './format-folder.ts';
import { addLabels, countClasses, findUnnamedScores, parseLabels } from './labels.ts';

/** Keys under which exporters write the names of classes: Paddle, Ultralytics, and others. */
const LABEL_KEYS = ['character', 'names', 'labels', 'classes', 'class_names'];
/** Key under which conversions of LightGBM write the names of columns. */
const COLUMN_KEYS = ['feature_names'];

/**
 * Adds to a config what the metadata of its graph say of it and nothing else does: labels that are as many as the classes,
 * and names of the columns of a matrix that are as many as these. Metadata may mean something else by the same key, so
 * what does not fit is left alone.
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

/** Inputs of their own have names of their own. */
function findColumnNames({ inputs, graph }: GraphView): readonly string[] | undefined {
  const [matrix, ...others] = inputs;
  return others.length > 0 ? undefined : nameColumns(graph.metadata, matrix?.shape[1] ?? -1);
}

/** The names that metadata have for so many columns; undefined where they are not as many, or not distinct. */
export function nameColumns(metadata: readonly Metadata[], columns: number): readonly string[] | undefined {
  const names = findList(metadata, COLUMN_KEYS, columns, readLiteral);
  return names && new Set(names).size === names.length ? names : undefined;
}

/** The names under some keys; undefined where none has as many, or where several that do are not the same. */
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

/** Longest name; each answer repeats it. */
const LONGEST_NAME = 200;

function isSensible(name: string): boolean {
  return name !== '' && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name);
}

/** Names as a list or by their numbers, one per line, or with commas between them. */
function readNames(text: string): readonly string[] | undefined {
  if (/^\s*[[{]/.test(text)) return readLiteral(text);
  if (text.includes('\n')) return parseLabels(text);
  const names = text.split(',').map((name) => name.trim());
  return names.length > 1 ? names : undefined;
}

/** A list, or names by their numbers from 0 on, as JSON or as Python writes them; undefined for anything else. */
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

/** The values of the keys 0, 1, 2 and so on; none where one of these is missing. */
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

/** Undefined where an escape is not known. */
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
