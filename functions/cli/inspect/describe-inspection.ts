import { alignColumns, countOf, formatBytes } from '../words.ts';
import { describeJson } from './describe-json.ts';
import type { FileFacts, Value, Verdict } from './inspection.ts';

/** Most inputs, outputs and warnings that are listed one by one. */
const SHOWN = 20;
const TITLE_WIDTH = 11;
const INDENT = ' '.repeat(TITLE_WIDTH + 2);

/** The result of an inspection, in words that fit into a terminal. */
export function describeInspection(title: string, facts: FileFacts, verdict: Verdict): string {
  return [title, ...describeFacts(facts), ...describeVerdict(verdict)].join('\n');
}

function describeFacts(facts: FileFacts): readonly string[] {
  const { file, size_bytes, files, total_bytes, parameters, opsets } = facts;
  const sizes = [
    `${file}, ${formatBytes(size_bytes)}`,
    ...(parameters > 0 ? [countOf(parameters, 'parameter')] : []),
    ...(files > 1 ? [`${formatBytes(total_bytes)} with its ${countOf(files - 1, 'other file')}`] : []),
  ];
  const operators = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  return [
    row('file', sizes.join(', ')),
    row('operators', operators.join(', ')),
    ...describeValues('input', facts.inputs),
    ...describeValues('output', facts.outputs),
    ...describeMetadata(facts.metadata),
  ];
}

/** Names, datatypes and shapes in columns, unless a name is too long for that. */
function describeValues(title: string, values: readonly Value[]): readonly string[] {
  const shown = values
    .slice(0, SHOWN)
    .map(({ name, datatype, shape }) => [name, datatype, shape ? `[${shape.join(', ')}]` : '']);
  const lines = alignColumns(shown, ['left', 'left', 'left']);
  const more = values.length > SHOWN ? [`and ${values.length - SHOWN} more`] : [];
  return [...lines, ...more].map((line) => row(title, line));
}

function describeMetadata(metadata: FileFacts['metadata']): readonly string[] {
  const shown = metadata.slice(0, SHOWN).map(({ key, value }) => [key, oneLine(value)]);
  const lines = alignColumns(shown, ['left', 'left']);
  const more = metadata.length > SHOWN ? [`and ${metadata.length - SHOWN} more`] : [];
  return [...lines, ...more].map((line) => row('metadata', line));
}

/** Longest text of the metadata that a terminal shows well. */
const WIDTH = 60;

function oneLine(text: string): string {
  const characters = Array.from(text.trim().replaceAll(/\s+/g, ' '));
  return characters.length > WIDTH ? `${characters.slice(0, WIDTH).join('')}…` : characters.join('');
}

function describeVerdict(verdict: Verdict): readonly string[] {
  if ('problem' in verdict) return [row('problem', verdict.problem.replaceAll('\n', `\n${INDENT}`))];
  const { format, task, processors, model_json, warnings, suggestion } = verdict;
  const shown = warnings.slice(0, SHOWN).map((warning) => row('warning', warning));
  return [
    row('format', format),
    row('task', task),
    ...(processors === undefined ? [] : [row('steps', processors.join(', '))]),
    row('model.json', describeJson(model_json, '  ', TITLE_WIDTH + 2)),
    ...shown,
    ...(warnings.length > SHOWN ? [row('warning', `and ${warnings.length - SHOWN} more`)] : []),
    ...(suggestion ? [row('hint', suggestion.note), describeJson(suggestion.model_json, '')] : []),
  ];
}

function row(title: string, content: string): string {
  return `  ${title.padEnd(TITLE_WIDTH)}${content}`.trimEnd();
}
