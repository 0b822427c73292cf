import { isJsonObject, type JsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { printableLine } from '../../printable.ts';
import { alignColumns } from '../words.ts';

/** Most scores that are shown; `--json` has all. */
const SHOWN = 10;

/** One line per prediction, with its scores below it when there is only one. */
export function describeAnswer(answer: JsonObject): string {
  const { predictions } = answer;
  const all = Array.isArray(predictions) ? predictions.filter((item) => isJsonObject(item)) : [answer];
  const format = all.every((each) => each.scores === undefined) ? formatPercent : formatScore;
  if (!Array.isArray(predictions)) return describeOne(answer, true, format);
  return predictions
    .map((item) => (isJsonObject(item) ? describeOne(item, false, format) : JSON.stringify(item)))
    .join('\n');
}

type Format = (score: number) => string;

function describeOne(prediction: JsonObject, withScores: boolean, format: Format): string {
  if (prediction.prediction === undefined) {
    const whole = prediction.outputs ?? prediction.embedding;
    return whole === undefined ? describeMembers(prediction, withScores) : JSON.stringify(whole);
  }
  const { confidence } = prediction;
  const title = `${formatValue(prediction.prediction)}${typeof confidence === 'number' ? `  ${format(confidence)}` : ''}`;
  const scores = prediction.probabilities ?? prediction.top_5 ?? prediction.scores;
  if (!withScores || !isJsonObject(scores)) return title;
  const best = Object.entries(scores).sort(([, a], [, b]) => Number(b) - Number(a));
  const shown = best.slice(0, SHOWN);
  const lines = alignColumns(
    shown.map(([label, score]) => [`  ${label}`, format(Number(score))]),
    ['left', 'right'],
  );
  const more = best.length > SHOWN ? [`  and ${best.length - SHOWN} more`] : [];
  return [title, ...lines, ...more].join('\n');
}

/** Members about the run, not about the row. */
const OF_THE_RUN = ['model', 'model_version', 'inference_time_ms'];

/** The outputs of a row: one per line if there is only one row. */
function describeMembers(prediction: JsonObject, isAlone: boolean): string {
  const members = Object.entries(prediction).filter(([name]) => !OF_THE_RUN.includes(name));
  if (!isAlone) return JSON.stringify(Object.fromEntries(members));
  const lines = members.map(([name, value]) => [name, formatValue(value)] as const);
  return alignColumns(lines, ['left', 'left']).join('\n');
}

function formatValue(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : printableLine(String(value));
}

function formatPercent(score: number): string {
  return `${(100 * score).toFixed(2).padStart(6)} %`;
}

function formatScore(score: number): string {
  return score.toFixed(4).padStart(9);
}
