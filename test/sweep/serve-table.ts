// Sends each failure of the table through the server, which has to survive it: npm run sweep:served
import { requestInChild } from '../shared/inference/request-in-child.ts';
import { readAttributeNames } from './attributes.ts';
import { conditionsOf } from './conditions.ts';
import { extraCases } from './extra-cases.ts';
import { extentOf } from './find-failures.ts';
import { fusedCases } from './fused-models.ts';
import { adaptCases } from './probe-runtime.ts';
import { fetchSuite, readSuite, type SweepCase } from './read-suite.ts';
import { attributeVariantsOf, otherAttributes, type Variant, variantsOf } from './variants.ts';
import {
  type FailureEntry,
  LOADING,
  type OperatorEntry,
  readEntries,
  readRuntimeVersion,
} from './write-table.ts';

const suite = fetchSuite();
const cases = await adaptCases([...readSuite(suite), ...extraCases(), ...(await fusedCases())]);
const attributes = readAttributeNames(suite);
const rows = readEntries(import.meta.dirname, readRuntimeVersion()).flatMap((entry) =>
  entry.failures.map((failure) => {
    const { domain, operator } = entry;
    const text = [domain, operator, failure.outcome, failure.variant, failure.label, failure.condition];
    return { text: text.filter(Boolean).join(', '), ...makeRequest(entry, failure) };
  }),
);
const outcomes = await requestInChild(rows);
const ended = rows.filter((_, at) => outcomes[at]?.kind === 'ended');
for (const { text } of ended) console.log(`ends the server: ${text}`);
console.log(`${rows.length} failures, ${ended.length} of which end the server`);
if (ended.length > 0) process.exitCode = 1;

/** The model of a failure and what was sent to it when the failure was found. */
function makeRequest(entry: OperatorEntry, failure: FailureEntry) {
  for (const of of cases) {
    if (of.domain !== entry.domain || of.operator !== entry.operator) continue;
    const variant = variantsLike(of, failure).find((each) => isOf(each, failure));
    if (!variant) continue;
    const model = of.open(variant.options);
    if (failure.condition === LOADING) return { model, feeds: variant.feeds };
    for (const { text, feeds } of conditionsOf(variant.feeds, extentOf(variant))) {
      if (text === failure.condition) return { model, feeds };
    }
  }
  throw new Error(`no case of ${entry.operator} is that of the table: sweep it again`);
}

function variantsLike(of: SweepCase, { attribute }: FailureEntry): Variant[] {
  if (attribute === undefined) return variantsOf([of]);
  return attributeVariantsOf([of], new Map([[of, attributes.filter(({ name }) => name === attribute)]]));
}

function isOf(variant: Variant, failure: FailureEntry): boolean {
  const { of, options, text } = variant;
  return (
    text === failure.variant &&
    of.name === failure.case &&
    of.label === failure.label &&
    (options.opset ?? of.opset) === failure.opset &&
    otherAttributes(variant) === failure.attributes
  );
}
