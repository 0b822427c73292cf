import type { Model } from '../../../shared/inference/load-model.ts';
import { columnAt, type RowFormat } from '../../../shared/values/row.ts';

/** The types of what one model takes and gives, as TypeScript. */
export interface ModelTypes {
  readonly input: string;
  readonly prediction: string;
}

/** What `predict` of an opened model takes and gives; see `Models` of the package. */
export function describeTypes(model: Model): ModelTypes {
  return { input: inputOf(model), prediction: predictionOf(model) };
}

const ANY_OBJECT = '{ readonly [key: string]: unknown }';
const ANY_ROW = `readonly unknown[] | ${ANY_OBJECT}`;

function inputOf({ contract, task, session }: Model): string {
  switch (contract.kind) {
    case 'image':
      return 'Uint8Array';
    case 'text':
      return contract.textInput?.takesPairs
        ? 'string | { readonly text: string; readonly text_pair: string }'
        : 'string';
    case 'tensors':
      return objectOf(session.inputs.map(({ name }) => [name, 'unknown']));
    case 'features':
      return rowOf(task.preprocessor?.features);
  }
}

/** A row as a list, and by name if the model has names. Own code takes rows of any form. */
function rowOf(format: RowFormat | undefined): string {
  if (!format) return ANY_ROW;
  const { named, width, columns } = format;
  const types = columns.map(({ type, isBoolean, allowsMissing }) =>
    [type, ...(isBoolean ? ['boolean'] : []), ...(allowsMissing ? ['null'] : [])].join(' | '),
  );
  const cell = [...new Set(types)].join(' | ');
  const list = columns.length > 1 ? `readonly [${types.join(', ')}]` : `readonly (${cell})[]`;
  if (!named || width === undefined) return list;
  const members = named.map(({ name, values }, index): [string, string] => {
    const { type, isBoolean = false, allowsMissing = false } = columnAt(columns, index);
    const one = values ? values.map((value) => JSON.stringify(value)).join(' | ') : type;
    return [name, `${one}${isBoolean ? ' | boolean' : ''}${allowsMissing ? ' | null' : ''}`];
  });
  return `${list} | ${objectOf(members)}`;
}

function predictionOf({ contract, task, session, processed }: Model): string {
  if (processed && contract.gives === 'values') return ANY_OBJECT;
  switch (contract.gives) {
    case 'classification':
      return classificationOf(task, contract.kind === 'image');
    case 'regression':
      return objectOf([['prediction', 'number | readonly number[]']]);
    case 'embedding':
      return objectOf([
        ['embedding', 'readonly number[] | readonly (readonly number[])[]'],
        ['dimensions', 'number'],
      ]);
    case 'rows':
      return objectOf(session.outputs.map(({ name }) => [name, 'unknown']));
    case 'tensors':
      return objectOf([['outputs', objectOf(session.outputs.map(({ name }) => [name, 'unknown']))]]);
    case 'values':
      return ANY_OBJECT;
  }
}

/** Longer lists of labels do not help anybody, and slow down an editor. */
const MOST_LABELS = 100;

function classificationOf({ labels, postprocessor }: Model['task'], isImage: boolean): string {
  const names = labels && labels.length <= MOST_LABELS ? labels : undefined;
  const label = names
    ? [...new Set(names)].map((each) => JSON.stringify(each)).join(' | ')
    : 'string | number';
  const scores =
    names && !isImage
      ? objectOf(names.map((each) => [String(each), 'number']))
      : '{ readonly [label: string]: number }';
  const areProbabilities = postprocessor?.areProbabilities === true;
  return objectOf([
    ['prediction', label],
    ['class_id', 'number'],
    ...(areProbabilities ? [['confidence', 'number'] as const] : []),
    [areProbabilities ? (isImage ? 'top_5' : 'probabilities') : 'scores', scores],
  ]);
}

function objectOf(members: readonly (readonly [string, string])[]): string {
  const known = new Map(members);
  return `{ ${[...known].map(([name, type]) => `readonly ${keyOf(name)}: ${type}`).join('; ')} }`;
}

function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
