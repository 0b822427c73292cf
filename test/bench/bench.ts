// Measures this tree: npm run bench [-- --quick] [-- --only <scenario>] [-- --against <commit>]
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT } from '../support/project.ts';
import { describeMachine } from './report/machine.ts';
import { targetTable, writePage } from './report/page.ts';
import { tableOf, toText } from './report/table.ts';
import { checkTargets } from './report/targets.ts';
import { createRecorder, type Results, type ScenarioResult } from './results.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const HELP = `npm run bench -- [options]
  --quick               few rounds, in at most three minutes
  --only <scenario>     one scenario, or several with commas: ${SCENARIOS.map(({ name }) => name).join(', ')}
  --rounds <number>     how often each contender takes its turn
  --peers               also Flask, FastAPI and MLServer; the first time installs them
  --json                prints all values as JSON
  --write               writes docs/benchmarks.md, its pictures, and test/bench/results.json
  --from <file>         takes the values from such a file, and measures nothing
  --check <factor>      ends with an error if a target that was measured is missed by more than this factor
  --against <commit>    compares this tree with a commit instead`;

/** Where the values of docs/benchmarks.md are. */
const RESULTS_FILE = join(PROJECT, 'test/bench/results.json');

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    peers: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    from: { type: 'string' },
    against: { type: 'string' },
    check: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1)) {
  fail(`--rounds is "${values.rounds}"; expected a whole number of at least 1.`);
}
const slack = values.check === undefined ? undefined : Number(values.check);
if (slack !== undefined && !(slack >= 1))
  fail(`--check is "${values.check}"; expected a number of at least 1.`);
if (values.write && values.only !== undefined)
  fail('--write needs all scenarios, so it cannot go with --only.');
const chosen = values.only === undefined ? SCENARIOS : values.only.split(',').map(findScenario);

if (values.help) {
  console.log(HELP);
} else if (values.against !== undefined) {
  const { benchAgainst } = await import('./against.ts');
  await benchAgainst(values.against, rounds ?? 7);
} else {
  const results: Results =
    values.from === undefined ? await measure(chosen) : JSON.parse(await readFile(values.from, 'utf8'));
  if (values.json) console.log(JSON.stringify(results, undefined, 2));
  else print(results);
  if (slack !== undefined) check(results, slack);
  if (values.write) {
    await writeFile(RESULTS_FILE, `${JSON.stringify(results)}\n`);
    for (const [path, text] of writePage(results)) await writeFile(join(PROJECT, 'docs', path), text);
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((each) => each.name === name.trim());
  return (
    found ?? fail(`There is no scenario ${name}; there are ${SCENARIOS.map((each) => each.name).join(', ')}.`)
  );
}

async function measure(scenarios: readonly Scenario[]): Promise<Results> {
  if (process.platform !== 'linux')
    fail('The benchmark reads memory and CPU time from /proc, so it needs Linux.');
  process.once('SIGINT', () => process.exit(130));
  progress('builds');
  execFileSync(process.execPath, ['esbuild.config.mjs'], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const machine = await describeMachine();
  const measured: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const startMs = performance.now();
    const result = await run(scenario);
    measured.push(result);
    if (!values.json) console.log(`\n${result.title}\n${toText(tableOf(result))}`);
    for (const note of result.notes) progress(note);
    progress(`${scenario.name} took ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  }
  return { machine, isQuick: values.quick, scenarios: measured };
}

/** A scenario that fails has the reason among its notes, and does not end the others. */
async function run(scenario: Scenario): Promise<ScenarioResult> {
  const { name, title, about, contenders, plot } = scenario;
  const recorder = createRecorder();
  const folder = await mkdtemp(join(tmpdir(), `ternion-bench-${name}-`));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  const actions: (() => unknown)[] = [];
  try {
    await scenario.run({
      isQuick: values.quick,
      rounds: rounds ?? (values.quick ? 2 : 5),
      seconds: values.quick ? 1 : 2,
      hasPeers: values.peers,
      folder,
      record: recorder.record,
      note: recorder.note,
      progress: (text) => progress(`${name}: ${text}`),
      defer: (action) => void actions.push(action),
    });
  } catch (error) {
    console.error(error);
    recorder.note(`It failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    for (const action of actions.toReversed()) await action();
    clean();
    process.off('exit', clean);
  }
  const { measurements, notes } = recorder;
  return { name, title, about, contenders, plot, measurements, notes };
}

/** The tables of the scenarios are printed while they run. */
function print(results: Results): void {
  if (values.from !== undefined) {
    for (const scenario of results.scenarios)
      console.log(`\n${scenario.title}\n${toText(tableOf(scenario))}`);
  }
  console.log(`\nTargets\n${toText(targetTable(results))}`);
}

/** Says which targets are missed. A run that measured none of them proves nothing. */
function check(results: Results, factor: number): void {
  const rows = checkTargets(results, factor).filter(({ isMet }) => isMet !== undefined);
  const missed = rows.filter(({ isMet }) => !isMet);
  for (const { what, target, measured } of missed)
    console.error(`missed by more than ${factor}: ${what} is ${measured}, should be ${target}`);
  if (rows.length === 0) console.error('no target was measured');
  if (missed.length > 0 || rows.length === 0) process.exitCode = 1;
}

function progress(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
