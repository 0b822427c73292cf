// Looks for small requests that cost the server much, and fails when it finds some:
//   npm run fuzz:cost -- [minutes] [seed]
//     --seconds 75, --count 500   how long, in other words
//     --new                       without the requests that are known
//     --only <words>              trials that have these words alone
//     --once                      without a second try on a new server
//     --large                     bodies as large as the server takes; only memory is held to its bound
//     --cpu, --megabytes, --health, --health-per-megabyte, --health-per-megabyte-of-json  the bounds
//     --cap 20000                 ends requests that take more CPU, in milliseconds
//     --table <file>, --log <file>  the worst of each kind in Markdown; all as lines of JSON
// Sends one of them again, with a profile of where its time goes:
//   npm run fuzz:cost -- --replay '<trial as it was printed>' [--profile <folder>]
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { VICTIMS, writeRepository } from './models.ts';
import { describeTable } from './report.ts';
import { listRoutes } from './routes.ts';
import { type Bounds, createSearch, loadOf, type Outcome } from './search.ts';
import { SEEDS } from './seeds.ts';
import { type MeasuredServer, openMeasuredServer } from './server.ts';
import { createKitchen, findGaps, kindOf, prepare, type Trial } from './trials.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    count: { type: 'string' },
    only: { type: 'string' },
    large: { type: 'boolean', default: false },
    new: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    replay: { type: 'string' },
    profile: { type: 'string' },
    table: { type: 'string' },
    log: { type: 'string' },
    cap: { type: 'string', default: '20000' },
    cpu: { type: 'string', default: '2000' },
    megabytes: { type: 'string', default: '500' },
    health: { type: 'string', default: '100' },
    'health-per-megabyte': { type: 'string', default: '20' },
    'health-per-megabyte-of-json': { type: 'string', default: '70' },
  },
});
/** If an option sets the duration, the only number is the seed. */
const isTimed = flags.seconds !== undefined || flags.count !== undefined;
const [minutes = '5', seedText] = isTimed ? ['Infinity', ...positionals] : positionals;
const seed = Number(seedText ?? Date.now() % 1_000_000);
const seconds = Number(flags.seconds ?? Number(minutes) * 60);
const most = Number(flags.count ?? Number.POSITIVE_INFINITY);
const bounds: Bounds = {
  cpuMs: Number(flags.cpu),
  peakBytes: Number(flags.megabytes) * 1e6,
  healthMs: Number(flags.health),
  healthMsPerMegabyte: Number(flags['health-per-megabyte']),
  healthMsPerMegabyteOfJson: Number(flags['health-per-megabyte-of-json']),
};
/** Largest body as it is sent. With --large it is what the server takes, and only memory is held to its bound. */
const LIMIT_BYTES = flags.large ? 32 * 1024 * 1024 : 65_536;

// So that the server ends when this process does.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Larger bodies are made again by their trial. */
const SHOWN_BYTES = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'ternion-cost-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
writeRepository(join(folder, 'models'));
const kitchen = createKitchen(await listRoutes(join(folder, 'models')));
const isSound = flags.replay === undefined ? await search() : await replay(flags.replay);
process.exitCode = isSound ? 0 : 1;

async function open(flagsOfNode: readonly string[] = []): Promise<MeasuredServer> {
  return await openMeasuredServer({
    repository: join(folder, 'models'),
    folder,
    capMs: Number(flags.cap),
    flags: flagsOfNode,
  });
}

async function search(): Promise<boolean> {
  const server = await open();
  const proposals = createSearch(kitchen, seed, flags.new ? [] : SEEDS);
  const outcomes: Outcome[] = [];
  const confirmed = new Map<string, Outcome>();
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs && outcomes.length < most) {
    const trial = proposals.next();
    if (flags.only !== undefined && !JSON.stringify(trial).includes(flags.only)) continue;
    const outcome = await measure(server, trial);
    outcomes.push(outcome);
    if (flags.log !== undefined) appendFileSync(flags.log, `${JSON.stringify(outcome)}\n`);
    proposals.learn(outcome);
    const known = confirmed.get(kindOf(outcome.trial));
    // The machine may have been busy: what counts is the better of two tries, the second on a new server.
    if (!exceeds(outcome) || (known && loadOf(known, bounds) * 1.5 > loadOf(outcome, bounds))) continue;
    if (!flags.once) await server.renew();
    const again = flags.once ? outcome : await measure(server, outcome.trial);
    if (!exceeds(again)) continue;
    confirmed.set(kindOf(again.trial), again);
    console.log(`${describe(again)}\n    --replay '${JSON.stringify(again.trial)}'`);
    if (again.sentBytes <= SHOWN_BYTES) console.log(`    ${await inBase64(again.trial)}`);
  }
  await server.close();
  report(outcomes);
  console.log(
    `seed ${seed}: ${outcomes.length} requests, ${confirmed.size} kinds beyond ${flags.cpu} ms of CPU, ${flags.megabytes} MB or ${flags.health} ms for /health`,
  );
  return confirmed.size === 0;
}

/** A body that is short enough to be copied. */
async function inBase64(trial: Trial): Promise<string> {
  const { request } = await prepare(trial, kitchen, LIMIT_BYTES);
  return `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${request.body.toString('base64')}`;
}

async function replay(text: string): Promise<boolean> {
  const trial: Trial = JSON.parse(text);
  const profile = flags.profile ?? join(folder, 'profile');
  mkdirSync(profile, { recursive: true });
  const server = await open(flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]);
  const outcome = await measure(server, trial);
  console.log(describe(outcome));
  await server.close();
  return !exceeds(outcome);
}

async function measure(server: MeasuredServer, proposed: Trial): Promise<Outcome> {
  const { trial, request, bodyBytes } = await prepare(proposed, kitchen, LIMIT_BYTES);
  const cost = await server.measure(request, trial.times);
  return { trial, cost, sentBytes: request.body.length, bodyBytes };
}

function exceeds(outcome: Outcome): boolean {
  const { cost } = outcome;
  const counted = flags.large ? { ...cost, cpuMs: 0, healthMs: 0 } : cost;
  return loadOf({ ...outcome, cost: counted }, bounds) > 1;
}

function describe({ trial, cost, sentBytes, bodyBytes }: Outcome): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 0);
  return (
    `${trial.route} (${trial.model}) ${kindOf(trial)}${trial.place === undefined ? '' : ` in ${trial.place}`}: ${sentBytes} bytes sent, ` +
    `${megabytes(bodyBytes)} MB made; ${cost.status}, ${megabytes(cost.answerBytes)} MB; ${cost.cpuMs} ms CPU, ` +
    `peak ${megabytes(cost.peakBytes)} MB (+${megabytes(cost.grownBytes)}), health ${Math.round(cost.healthMs)} ms${
      cost.failure === undefined ? '' : `; ${cost.failure}`
    }`
  );
}

function report(outcomes: readonly Outcome[]): void {
  if (flags.table !== undefined) writeFileSync(flags.table, describeTable(outcomes, bounds));
  const reached = new Set(outcomes.map(({ trial }) => trial.route)).size;
  console.log(
    `${reached} of ${kitchen.routes.length} routes reached, with ${kitchen.makers.length} kinds of bodies and ${VICTIMS.length} models`,
  );
  for (const gap of findGaps(kitchen)) console.log(`not covered: ${gap}`);
}
