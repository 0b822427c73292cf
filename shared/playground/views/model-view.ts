import { find, make } from '../element.ts';
import type { ModelDescription, TensorSpec } from '../model-description.ts';
import { formatNumber } from '../numbers.ts';

/** Shows what a model is: its task, a sentence, and what it takes and gives. */
export function showModel(model: ModelDescription | undefined): void {
  const about = find('about', HTMLElement);
  about.hidden = model === undefined;
  if (!model) return;
  const metrics = [...model.metrics].map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${formatNumber(value)}`,
  );
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
      listTensors('Takes', model.inputs),
      listTensors('Gives', model.outputs),
      metrics.length > 0 ? make('p', { class: 'hint' }, `Held-out data: ${metrics.join(', ')}`) : undefined,
    ),
  );
}

function listTensors(title: string, specs: readonly TensorSpec[]): HTMLElement {
  const items = specs.map(({ name, datatype, shape }) => {
    const axes = shape.map((size) => (size === -1 ? 'any' : String(size))).join(' × ');
    return make('li', {}, make('code', {}, name), ` ${datatype} ${axes}`);
  });
  return make('div', {}, make('h3', {}, title), make('ul', {}, ...items));
}
