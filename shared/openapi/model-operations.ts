import type { Limits } from '../config.ts';
import type { Protocol } from '../protocols/operation.ts';
import type { DescribedModel, ModelFacts } from './describe-models.ts';
import { describeOperation } from './describe-operation.ts';
import { toInferExample } from './infer-example.ts';
import { describeInferAnswer, describeInferRequest } from './infer-schemas.ts';
import { BYTES_SCHEMA, type Json, type MediaTypes } from './openapi.ts';
import type { PathTable } from './path-table.ts';
import { describePredictAnswer, describeTaskAnswer } from './predict-answers.ts';
import { describePredictRequest } from './predict-schemas.ts';
import type { SchemaBook } from './schema-book.ts';

export const MODELS_TAG = {
  name: 'models',
  description: 'The served models, each with its inputs and outputs.',
} as const satisfies Json;

/** A route that is described separately for each model. */
interface ModelRoute {
  readonly protocol: string;
  readonly path: string;
  /** Prefix of the operationId, before the name of the model. */
  readonly verb: string;
  readonly summary: (name: string) => string;
  readonly request: (facts: ModelFacts, limits: Limits) => MediaTypes;
  readonly response: (facts: ModelFacts, book: SchemaBook, protocols: readonly Protocol[]) => MediaTypes;
}

/** In V2, bytes can follow the JSON. */
const BINARY = { 'application/octet-stream': { schema: BYTES_SCHEMA } };

const MODEL_ROUTES: readonly ModelRoute[] = [
  {
    protocol: 'ternion',
    path: '/models/{model}/predict',
    verb: 'predict',
    summary: (name) => `Predict with ${name}`,
    request: describePredictRequest,
    response: (facts, book, protocols) => {
      const own = describePredictAnswer(facts, book);
      const isShared = protocols.some(({ name }) => name === 'hugging-face');
      return { 'application/json': { schema: isShared ? { anyOf: [own, describeTaskAnswer(facts)] } : own } };
    },
  },
  {
    protocol: 'open-inference',
    path: '/v2/models/{model}/infer',
    verb: 'infer',
    summary: (name) => `Run the graph of ${name} on tensors`,
    request: (facts) => ({
      'application/json': { schema: describeInferRequest(facts), example: toInferExample(facts) },
      ...BINARY,
    }),
    response: (facts) => ({ 'application/json': { schema: describeInferAnswer(facts) }, ...BINARY }),
  },
];

/** Describes the routes of each model with its name in the path, if their protocols are served. */
export async function addModelOperations(
  paths: PathTable,
  protocols: readonly Protocol[],
  models: readonly DescribedModel[],
  limits: Limits,
  book: SchemaBook,
): Promise<void> {
  for (const model of models) {
    for (const route of MODEL_ROUTES) {
      const protocol = protocols.find(({ name }) => name === route.protocol);
      const operation = protocol?.operations.find(({ path }) => path === route.path);
      if (!protocol || !operation) continue;
      const { facts } = model;
      const { name } = model.reference;
      const particulars = {
        path: route.path.replace('{model}', name),
        // Names of models are safe in URLs, and no other operationId has a hyphen.
        operationId: `${route.verb}-${name}`,
        tag: MODELS_TAG.name,
        summary: route.summary(name),
        description: describeInWords(model),
        ...(facts && {
          request: route.request(facts, limits),
          response: route.response(facts, book, protocols),
        }),
      };
      await paths.add(operation.method, particulars.path, () =>
        describeOperation(operation, protocol, particulars, book),
      );
    }
  }
}

/** The description of a model, or why there is none. */
function describeInWords({ reference, facts, problem }: DescribedModel): string {
  const live = `The live version is ${reference.version}.`;
  return [facts?.description, problem, live].filter(Boolean).join(' ');
}
