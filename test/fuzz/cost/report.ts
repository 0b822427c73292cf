import { type Bounds, loadOf, type Outcome } from './search.ts';
import { kindOf } from './trials.ts';

/** The worst request of each kind as a table in Markdown, the worst first. */
export function describeTable(outcomes: readonly Outcome[], bounds: Bounds): string {
  const worst = new Map<string, Outcome>();
  for (const outcome of outcomes) {
    const kind = kindOf(outcome.trial);
    const known = worst.get(kind);
    if (!known || loadOf(known, bounds) < loadOf(outcome, bounds)) worst.set(kind, outcome);
  }
  const rows = [...worst]
    .sort(([, a], [, b]) => loadOf(b, bounds) - loadOf(a, bounds))
    .map(([kind, outcome]) => describeRow(kind, outcome));
  return [
    '| kind | place | route | model | codings | sent, B | body, MB | status | answer, MB | CPU, ms | peak, MB | health, ms |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function describeRow(kind: string, { trial, cost, sentBytes, bodyBytes }: Outcome): string {
  const { route, model, codings, place = '' } = trial;
  const cells = [
    kind,
    place,
    route,
    model,
    codings.join('+'),
    sentBytes,
    (bodyBytes / 1e6).toFixed(2),
    cost.failure === undefined ? cost.status : `${cost.status} ${cost.failure}`,
    (cost.answerBytes / 1e6).toFixed(2),
    cost.cpuMs,
    Math.round(cost.peakBytes / 1e6),
    Math.round(cost.healthMs),
  ];
  return `| ${cells.map((cell) => String(cell).replaceAll(/[|\r\n]+/g, ' ')).join(' | ')} |`;
}
