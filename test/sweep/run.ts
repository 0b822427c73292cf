// Finds the operators that end the process: npm run sweep -- [operators, all by default]
// Needs Linux, python3 with pip (which fetches the suite) and about an hour.
import { readAttributeNames } from './attributes.ts';
import { extraCases } from './extra-cases.ts';
import { type Failure, findFailures } from './find-failures.ts';
import { FUSED, fusedCases } from './fused-models.ts';
import { adaptCases, findLeftOut } from './probe-runtime.ts';
import { fetchSuite, readSuite } from './read-suite.ts';
import { type Reduced, reduce } from './reduce.ts';
import { attributeVariantsOf, firstCases, otherAttributes, variantsOf } from './variants.ts';
import {
  describeFeeds,
  describeTally,
  type FailureEntry,
  LOADING,
  type OperatorEntry,
  readEntries,
  readRuntimeVersion,
  writeTables,
} from './write-table.ts';

const operators = process.argv.slice(2);
const version = readRuntimeVersion();
const suite = fetchSuite();
const all = [...readSuite(suite), ...extraCases(), ...(await fusedCases())].filter(
  ({ operator }) => operators.length === 0 || operators.includes(operator),
);
const cases = await adaptCases(all);
const leftOut = await findLeftOut(
  firstCases(cases).filter(({ domain }) => domain !== FUSED),
  readAttributeNames(suite),
);
const variants = [...variantsOf(cases), ...attributeVariantsOf(cases, leftOut)];
const tallies = await findFailures(variants, (line) => console.log(line));
const entries: OperatorEntry[] = [];
for (const tally of tallies) {
  const entry = describeTally(tally, await reduceAll(tally.failures));
  entries.push(entry);
  for (const failure of entry.failures) console.log(entry.domain, entry.operator, JSON.stringify(failure));
}
const others = operators.length === 0 ? [] : readEntries(import.meta.dirname, version);
writeTables(import.meta.dirname, version, [
  ...others.filter(({ operator }) => !operators.includes(operator)),
  ...entries,
]);

/** One entry for each kind of failure of an operator: the first that comes again when it runs alone. */
async function reduceAll(failures: readonly Failure[]): Promise<FailureEntry[]> {
  const kinds = new Map<string, FailureEntry>();
  const entries: FailureEntry[] = [];
  for (const failure of failures) {
    const kind = keyOf(failure);
    if (kinds.has(kind)) continue;
    // Where there is no condition the model ended the process when it was loaded.
    const reduced = await reduce(failure.variant, failure.condition?.feeds ?? failure.variant.feeds);
    if (!reduced) continue;
    const entry = toEntry(failure, reduced, failures);
    kinds.set(kind, entry);
    const isKnown = entries.some(
      (other) =>
        other.outcome === entry.outcome &&
        other.signal === entry.signal &&
        other.open === entry.open &&
        other.label === entry.label &&
        other.attribute === entry.attribute &&
        other.without === entry.without,
    );
    if (!isKnown) entries.push(entry);
  }
  return entries;
}

/** Groups similar failures: those by sizes and values separately from those by the number of axes. */
function keyOf(failure: Failure): string {
  const { ending, signal, condition, variant } = failure;
  const isByRank = condition?.group.startsWith('rank') || condition?.group === 'equal shapes';
  const by = isByRank ? 'ranks' : 'sizes';
  return [ending, signal, by, variant.options.attribute?.name, inputNeeded(failure), variant.of.label].join(
    '|',
  );
}

/** The input that is left out, where that alone ends the process. */
function inputNeeded({ condition, variant: { options } }: Failure): string | undefined {
  return condition === undefined || condition.group === 'base' ? options.without : undefined;
}

function toEntry(failure: Failure, reduced: Reduced, failures: readonly Failure[]): FailureEntry {
  const { variant, condition } = failure;
  const attribute = variant.options.attribute?.name;
  const without = inputNeeded(failure);
  const alike = failures
    .filter((other) => keyOf(other) === keyOf(failure))
    .map((other) => (attribute ? other.variant.text : (other.condition?.text ?? '')));
  const own = attribute ? variant.text : condition?.text;
  const printed = reduced.errors.trim().split('\n').at(-1) ?? '';
  return {
    outcome: reduced.ending,
    ...(reduced.ending === 'crash' && { signal: reduced.signal }),
    open: attribute ? 'attributes' : reduced.isOfDeclaredRank ? 'sizes' : 'ranks',
    ...(attribute && { attribute }),
    ...(without !== undefined && { without }),
    ...(variant.of.label !== undefined && { label: variant.of.label }),
    condition: condition?.text ?? LOADING,
    case: variant.of.name,
    variant: variant.text,
    opset: variant.options.opset ?? variant.of.opset,
    attributes: otherAttributes(variant),
    inputs: describeFeeds(reduced.feeds),
    alsoFailed: [...new Set(alike)].filter((text) => text !== own && !text.startsWith('random')),
    ...(printed && { printed }),
    ...(reduced.needsChecks && { checked: true }),
  };
}
