import type { Machine, Results, ScenarioResult } from '../results.ts';
import { plotOf } from './plot.ts';
import { tableOf, toMarkdown } from './table.ts';
import { checkTargets, explainMissed } from './targets.ts';

/** Files of the page, by their paths below `docs/`. */
export function writePage(results: Results): ReadonlyMap<string, string> {
  const { machine, isQuick, scenarios } = results;
  const text = [
    '# Benchmarks',
    '',
    `\`npm run bench -- --write\` made this page on ${machine.date} and measured all values on it. Edit it there, in`,
    '`test/bench/`, and not here.',
    '',
    'Ternion is compared with limits: the least code that does the same work on the same machine, with the same flags of',
    'Node, threads and model. All contenders take turns in several rounds. A value is the median of the rounds. A ratio is',
    'taken within each round; the page shows its median and its range. Client and server share the machine, so compare',
    'ratios and not absolute values with those of other machines.',
    ...(isQuick ? ['', 'This was a quick run with few rounds (`--quick`): its values are rough.'] : []),
    '',
    ...describe(machine),
    '',
    '## Targets',
    '',
    toMarkdown(targetTable(results), 2),
    ...explain(results),
    ...scenarios.flatMap(describeScenario),
    '',
  ];
  return new Map([
    ['benchmarks.md', text.join('\n')],
    ...scenarios.map((scenario): [string, string] => [pictureOf(scenario), plotOf(scenario)]),
  ]);
}

function describe(machine: Machine): readonly string[] {
  return [
    `- Machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.system}`,
    `- Ternion ${machine.commit}, Node ${machine.node}, ONNX Runtime ${machine.runtime}`,
    `- Load: ${machine.load}`,
  ];
}

/** All targets, for the page and for a terminal. */
export function targetTable(results: Pick<Results, 'scenarios'>) {
  const rows = checkTargets(results).map(({ what, target, measured, isMet }) => [
    what,
    target,
    measured,
    isMet === undefined ? 'not measured' : isMet ? 'yes' : 'no',
  ]);
  return { header: ['Target', 'Bound', 'Measured', 'Met'], rows };
}

/** What profiles show of the targets that are missed. */
function explain(results: Results): readonly string[] {
  const reasons = explainMissed(results);
  return reasons.length === 0
    ? []
    : ['', 'Where the time of missed targets is, by profiles:', '', ...reasons];
}

function describeScenario(scenario: ScenarioResult): readonly string[] {
  const { title, about, notes, name } = scenario;
  return [
    '',
    `## ${title}`,
    '',
    `${about} (\`npm run bench -- --only ${name}\`)`,
    '',
    `![${title}](${pictureOf(scenario)})`,
    '',
    toMarkdown(tableOf(scenario)),
    ...notes.flatMap((note) => ['', note]),
  ];
}

function pictureOf({ name }: ScenarioResult): string {
  return `images/bench-${name}.svg`;
}
