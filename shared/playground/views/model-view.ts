import { find, make } from '../element.ts';
import type { ModelDescription, TensorSpec } from '../model-description.ts';
import { formatNumber } from '../numbers.ts';

/** Describes a model: its task, a sentence, its inputs and its outputs. */
export function showModel(model: ModelDescription | undefined): void {
  const about = find('about', HTMLElement);
  about.hidden = model === undefined;
  if (!model) return;
  const metrics = [...model.metrics].map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${formatNumber(value)}`,
  );
  const facts = [
    ['Takes', model.inputs.map(describeTensor)],
    ['Gives', model.outputs.map(describeTensor)],
    ['Metrics', metrics],
  ] as const;
  about.replaceChildren(
    make(
      'p',
      {},
      make('span', { class: 'task' }, model.task),
      ...(model.description ? [' ', model.description] : []),
    ),
    make(
      'details',
      {},
      make('summary', {}, 'Inputs and outputs'),
      make('dl', {}, ...facts.flatMap(([name, items]) => listFact(name, items))),
    ),
  );
}

function describeTensor({ name, datatype, shape }: TensorSpec): string {
  const axes = shape.map((size) => (size === -1 ? 'any' : String(size))).join(' × ');
  return `${name}: ${datatype} ${axes}`;
}

function listFact(name: string, items: readonly string[]): HTMLElement[] {
  if (items.length === 0) return [];
  return [make('dt', {}, name), ...items.map((item) => make('dd', {}, item))];
}
