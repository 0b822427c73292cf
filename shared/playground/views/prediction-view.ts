import { make } from '../element.ts';
import { formatJson } from '../format-json.ts';
import { formatNumber, formatPercent } from '../numbers.ts';
import { isObject, listOf, membersOf, textOf } from '../parse.ts';

/** Nobody reads more bars than this; the raw answer has all classes. */
const MOST_BARS = 10;
const MOST_PREDICTIONS = 20;
const MOST_CHARACTERS = 4000;

/** Members of an answer that are shown elsewhere, or not at all. */
const COMMON = ['model', 'model_version', 'inference_time_ms'];

/** A prediction to look at, and the same in a few words for screen readers. */
export interface ShownPrediction {
  readonly element: HTMLElement;
  readonly spoken: string;
}

/** Shows the answer to a predict request of any task: one prediction, or several. */
export function showPredictions(answer: unknown): ShownPrediction {
  const batch = membersOf(answer).predictions;
  if (!Array.isArray(batch)) return showOne(membersOf(answer));
  const items = batch.slice(0, MOST_PREDICTIONS).map((prediction, index) => {
    const title = make('h3', {}, `Instance ${index + 1}`);
    return make('li', {}, title, showOne(membersOf(prediction)).element);
  });
  const rest = batch.length - items.length;
  const more = rest > 0 ? make('p', { class: 'hint' }, `and ${rest} more in the raw answer`) : undefined;
  return {
    element: make('div', {}, make('ol', { class: 'batch' }, ...items), more),
    spoken: `${batch.length} predictions`,
  };
}

function showOne(members: Readonly<Record<string, unknown>>): ShownPrediction {
  const scores = scoresOf(members.probabilities ?? members.top_5 ?? members.scores);
  if (scores.length > 0) return showScores(members, scores);
  if (typeof members.prediction === 'number' || Array.isArray(members.prediction)) {
    return showValues(members.prediction);
  }
  if (isObject(members.outputs)) return showTensors(members.outputs);
  if (Array.isArray(members.embedding)) return showTensors({ embedding: members.embedding });
  const rest = Object.fromEntries(Object.entries(members).filter(([name]) => !COMMON.includes(name)));
  // A row of a table that no task is made for: what the graph gives, by its names.
  return showTensors(rest);
}

type Score = readonly [label: string, value: number];

function scoresOf(value: unknown): Score[] {
  const scores = Object.entries(membersOf(value)).map(
    ([label, score]): Score => [label, Number(score ?? Number.NaN)],
  );
  return scores.sort(([, a], [, b]) => b - a);
}

/** The label the model chose, then a bar for each class. */
function showScores(members: Readonly<Record<string, unknown>>, scores: readonly Score[]): ShownPrediction {
  const label = textOf(members.prediction) ?? '';
  const areShares = members.scores === undefined;
  const format = areShares ? formatPercent : formatNumber;
  const largest = areShares ? 1 : Math.max(...scores.map(([, value]) => Math.abs(value)));
  const chosen = typeof members.confidence === 'number' ? format(members.confidence) : undefined;
  const bars = scores.slice(0, MOST_BARS).map(([name, value]) => {
    const bar = make('span', { class: 'bar', 'aria-hidden': 'true' }, make('span', { class: 'fill' }));
    bar.style.setProperty('--share', String(Math.max(0, value / largest) || 0));
    return make(
      'li',
      { class: name === label ? 'chosen' : undefined },
      make('span', { class: 'label' }, name),
      make('span', { class: 'score' }, format(value)),
      bar,
    );
  });
  const rest = scores.length - bars.length;
  return {
    element: make(
      'div',
      {},
      make(
        'p',
        { class: 'headline' },
        make('strong', {}, label),
        chosen === undefined ? undefined : make('span', { class: 'confidence' }, chosen),
      ),
      make('ol', { class: 'bars' }, ...bars),
      rest > 0 ? make('p', { class: 'hint' }, `and ${rest} more classes in the raw answer`) : undefined,
    ),
    spoken: chosen === undefined ? `Prediction: ${label}` : `Prediction: ${label}, ${chosen}`,
  };
}

function showValues(prediction: unknown): ShownPrediction {
  const values = (Array.isArray(prediction) ? listOf(prediction) : [prediction]).map((value) =>
    typeof value === 'number' ? formatNumber(value) : 'no number',
  );
  const text = values.join(', ');
  return {
    element: make('p', { class: 'headline' }, make('strong', {}, text)),
    spoken: `Prediction: ${text}`,
  };
}

function showTensors(outputs: Readonly<Record<string, unknown>>): ShownPrediction {
  const names = Object.keys(outputs);
  const items = names.flatMap((name) => [
    make('dt', {}, name, make('span', { class: 'hint' }, shapeOf(outputs[name]))),
    make('dd', {}, showJson(name, outputs[name])),
  ]);
  return { element: make('dl', { class: 'tensors' }, ...items), spoken: `Outputs: ${names.join(', ')}` };
}

/** The lengths of nested lists, as in `1 × 3`. */
function shapeOf(value: unknown): string {
  const axes: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) axes.push(inner.length);
  return axes.join(' × ');
}

function showJson(name: string, value: unknown): HTMLElement {
  const text = JSON.stringify(value);
  const isLong = text.length > MOST_CHARACTERS;
  const shown = isLong ? `${text.slice(0, MOST_CHARACTERS)} …` : formatJson(text);
  return make('pre', { tabindex: '0', role: 'region', 'aria-label': name }, shown);
}
