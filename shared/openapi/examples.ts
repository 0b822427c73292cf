import type { JsonObject } from '../json/json-value.ts';
import type { OutputKind } from '../values/contract.ts';
import type { DescribedModel, ModelFacts } from './describe-models.ts';
import { rowsOf, textsOf, toInferExample } from './infer-example.ts';

/**
 * Example values for routes that are not specific to a model. They come from served models, so the examples work as
 * shown.
 */
export interface Examples {
  /** Parameters of the path, by name. */
  readonly path: Readonly<Record<string, string>>;
  /** The JSON body of a route, if the body depends on the model. */
  body(protocol: string, path: string): JsonObject | undefined;
}

/**
 * Chooses a model for the examples: one that takes features, as these are short.
 *
 * @param defaultModel the model for requests that name none
 */
export function chooseExamples(
  models: readonly DescribedModel[],
  defaultModel: string | undefined,
): Examples {
  const known = models.flatMap(({ facts }) => (facts ? [facts] : []));
  const shown = known.find(({ kind, example }) => kind === 'features' && example) ?? known[0];
  const reference = shown?.reference ?? models[0]?.reference;
  const unnamed = findDefault(models, defaultModel);
  return {
    path: reference ? { model: reference.name, version: reference.version } : {},
    body: (protocol, path) => {
      const facts = path.includes('{model}') ? shown : unnamed;
      if (protocol === 'ternion') return facts?.example;
      const [, write] = BODIES.find(([end]) => end.test(path)) ?? [];
      return facts && write?.(facts);
    },
  };
}

/** The input of a model in the forms of other servers' routes. */
const BODIES: readonly (readonly [RegExp, (facts: ModelFacts) => JsonObject | undefined])[] = [
  [/^\/v2\/models\/.*\/infer$/, toInferExample],
  [/^\/v1\/models\/.*:predict$|\/invocations$|\/invoke$/, (facts) => wrapInstances('instances', facts)],
  [/^\/v1\/models\/.*:classify$/, (facts) => wrapExamples('classification', facts)],
  [/^\/v1\/models\/.*:regress$/, (facts) => wrapExamples('regression', facts)],
  [/^\/predictions\//, (facts) => wrapInstances('data', facts)],
  [/^\/score$/, (facts) => wrapInstances('input_data', facts)],
];

function wrapInstances(key: string, facts: ModelFacts): JsonObject | undefined {
  const instances = rowsOf(facts) ?? textsOf(facts);
  return instances && { [key]: instances };
}

function wrapExamples(gives: OutputKind, facts: ModelFacts): JsonObject | undefined {
  const texts = facts.gives === gives ? textsOf(facts) : undefined;
  if (texts) return { examples: texts.map((text) => ({ text })) };
  const names = facts.features?.named;
  const rows = facts.gives === gives && names ? rowsOf(facts) : undefined;
  const named = rows?.map((row) =>
    Object.fromEntries((names ?? []).map(({ name }, index) => [name, row[index] ?? null])),
  );
  return named && { examples: named };
}

/**
 * A model that certainly answers requests without a model name: the configured one, or the first with a unique kind of
 * input.
 */
function findDefault(
  models: readonly DescribedModel[],
  defaultModel: string | undefined,
): ModelFacts | undefined {
  if (defaultModel !== undefined)
    return models.find(({ reference }) => reference.name === defaultModel)?.facts;
  if (models.some(({ facts }) => !facts)) return undefined;
  const known = models.flatMap(({ facts }) => (facts ? [facts] : []));
  const isAlone = ({ kind }: ModelFacts) => known.filter((other) => other.kind === kind).length === 1;
  return (
    known.filter(({ kind }) => kind !== 'tensors').find(isAlone) ??
    (known.length === 1 ? known[0] : undefined)
  );
}
