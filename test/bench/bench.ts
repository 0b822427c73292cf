// Measures this tree: npm run bench [-- --against <commit> [--rounds <count>]]
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { against: { type: 'string' }, rounds: { type: 'string', default: '7' } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds is "${values.rounds}"; expected a whole number of at least 1.`);
  process.exit(1);
}
if (values.against === undefined) {
  for (const name of ['run', 'tensors', 'images']) await import(`./${name}.ts`);
} else {
  const { benchAgainst } = await import('./against.ts');
  await benchAgainst(values.against, rounds);
}
