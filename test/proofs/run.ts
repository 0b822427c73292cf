// Shows the guarantees of docs/guarantees.md: npm run proofs [-- <name> ...] [--seconds 60] [--tried 0] [--seed <number>]
import { parseArgs } from 'node:util';
import { createRandom, type Outcome, type Proof } from './proof.ts';
import { PROOFS } from './proofs.ts';

/** The number of runs within which the control must be noticed. */
const MOST_CONTROLS = 20;

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    tried: { type: 'string', default: '0' },
    seed: { type: 'string' },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !PROOFS.some((proof) => proof.name === name));
const seconds = Number(values.seconds);
const least = Number(values.tried);
if (unknown.length > 0 || !(seconds > 0) || !(least >= 0)) {
  console.error(
    `Expected names of ${PROOFS.map(({ name }) => name).join(', ')}, --seconds above 0, and a number for --tried.`,
  );
  process.exit(1);
}
const chosen = PROOFS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const proof of chosen) {
  const found = await show(proof);
  console.log(`${proof.name}: ${found}`);
}

/** Runs a proof with one seed after the other until its time is over and enough was tried, and the control as often as it takes to see it. */
async function show(proof: Proof): Promise<string> {
  const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (!(await isSeen(proof, first))) {
    process.exitCode = 1;
    return `does not see its control: ${proof.control} (seed ${first})`;
  }
  const endMs = performance.now() + seconds * 1000;
  let runs = 0;
  let tried = 0;
  do {
    const seed = first + runs++;
    const outcome: Outcome = await proof.run(createRandom(seed), false);
    tried += outcome.tried;
    if (outcome.violations.length > 0) {
      process.exitCode = 1;
      return `broken ${outcome.violations.length} times of ${outcome.tried}, --seed ${seed}:\n  ${outcome.violations.slice(0, 10).join('\n  ')}`;
    }
  } while ((performance.now() < endMs || tried < least) && values.seed === undefined);
  return `${tried} tried in ${runs} runs, 0 broken (seeds from ${first}); the control is seen`;
}

async function isSeen(proof: Proof, first: number): Promise<boolean> {
  for (let run = 0; run < MOST_CONTROLS; run++) {
    const { violations } = await proof.run(createRandom(first + run), true);
    if (violations.length > 0) return true;
  }
  return false;
}
