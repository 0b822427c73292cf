// Looks for small requests that cost the server much:
//   npm run fuzz:cost -- [minutes] [seed] [--seconds 75] [--count 500] [--only <words>] [--large]
// One of them once more, with a profile of where its time goes:
//   npm run fuzz:cost -- --replay '<trial as it was printed>' [--profile <folder>]
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { VICTIMS, writeRepository } from './models.ts';
import { describeTable } from './report.ts';
import { listRoutes, nameOf } from './routes.ts';
import { type Bounds, createSearch, loadOf, type Outcome } from './search.ts';
import { SEEDS } from './seeds.ts';
import { type MeasuredServer, openMeasuredServer } from './server.ts';
import { createKitchen, findGaps, type Kitchen, kindOf, prepare, type Trial } from './trials.ts';

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
  },
});
const [minutes = flags.count === undefined ? '5' : 'Infinity', seedText] = positionals;
const seed = Number(seedText ?? Date.now() % 1_000_000);
const seconds = Number(flags.seconds ?? Number(minutes) * 60);
const most = Number(flags.count ?? Number.POSITIVE_INFINITY);
const bounds: Bounds = {
  cpuMs: Number(flags.cpu),
  peakBytes: Number(flags.megabytes) * 1e6,
  healthMs: Number(flags.health),
};
/** Largest body as it is sent. With --large it is what the server takes, and only memory is held to its bound. */
const LIMIT_BYTES = flags.large ? 32 * 1024 * 1024 : 65_536;

// By this the server ends with us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const folder = mkdtempSync(join(tmpdir(), 'ternion-cost-'));
try {
  writeRepository(join(folder, 'models'));
  const kitchen = createKitchen(await listRoutes(join(folder, 'models')));
  const isSound = flags.replay === undefined ? await search(kitchen) : await replay(kitchen, flags.replay);
  process.exitCode = isSound ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function open(flagsOfNode: readonly string[] = []): Promise<MeasuredServer> {
  return await openMeasuredServer({
    repository: join(folder, 'models'),
    folder,
    capMs: Number(flags.cap),
    flags: flagsOfNode,
  });
}

async function search(kitchen: Kitchen): Promise<boolean> {
  const server = await open();
  const proposals = createSearch(kitchen, seed, flags.new ? [] : SEEDS);
  const outcomes: Outcome[] = [];
  const confirmed = new Map<string, Outcome>();
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs && outcomes.length < most) {
    const trial = proposals.next();
    if (flags.only !== undefined && !JSON.stringify(trial).includes(flags.only)) continue;
    const outcome = await measure(server, trial, kitchen);
    outcomes.push(outcome);
    if (flags.log !== undefined) appendFileSync(flags.log, `${JSON.stringify(outcome)}\n`);
    proposals.learn(outcome);
    const known = confirmed.get(kindOf(outcome.trial));
    // The machine may have been busy: what counts is the better of two tries, the second on a new server.
    if (!exceeds(outcome) || (known && loadOf(known.cost, bounds) * 1.5 > loadOf(outcome.cost, bounds)))
      continue;
    if (!flags.once) await server.renew();
    const again = flags.once ? outcome : await measure(server, outcome.trial, kitchen);
    if (!exceeds(again)) continue;
    confirmed.set(kindOf(again.trial), again);
    console.log(`${describe(again)}\n    --replay '${JSON.stringify(again.trial)}'`);
  }
  await server.close();
  report(outcomes, kitchen);
  console.log(
    `seed ${seed}: ${outcomes.length} requests, ${confirmed.size} kinds beyond ${flags.cpu} ms of CPU, ${flags.megabytes} MB or ${flags.health} ms for /health`,
  );
  return confirmed.size === 0;
}

async function replay(kitchen: Kitchen, text: string): Promise<boolean> {
  const trial: Trial = JSON.parse(text);
  const profile = flags.profile ?? join(folder, 'profile');
  mkdirSync(profile, { recursive: true });
  const server = await open(flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]);
  const outcome = await measure(server, trial, kitchen);
  console.log(describe(outcome));
  await server.close();
  return !exceeds(outcome);
}

async function measure(server: MeasuredServer, proposed: Trial, kitchen: Kitchen): Promise<Outcome> {
  const { trial, request, bodyBytes } = await prepare(proposed, kitchen, LIMIT_BYTES);
  const cost = await server.measure(request);
  return { trial, cost, sentBytes: request.body.length, bodyBytes };
}

function exceeds({ cost }: Outcome): boolean {
  return loadOf(flags.large ? { ...cost, cpuMs: 0, healthMs: 0 } : cost, bounds) > 1;
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

function report(outcomes: readonly Outcome[], kitchen: Kitchen): void {
  if (flags.table !== undefined) writeFileSync(flags.table, describeTable(outcomes, bounds));
  const sent = new Set(outcomes.map(({ trial }) => trial.route));
  const missed = kitchen.routes.filter((route) => !sent.has(nameOf(route)));
  console.log(
    `${kitchen.routes.length} routes, ${kitchen.makers.length} kinds of bodies, ${VICTIMS.length} models`,
  );
  if (missed.length > 0)
    console.log(`not reached in this run (${missed.length}): ${missed.map(nameOf).join(', ')}`);
  for (const gap of findGaps(kitchen)) console.log(`not covered: ${gap}`);
}
