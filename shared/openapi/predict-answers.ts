import { isTableForm, type TableForm } from '../inference/table-form.ts';
import type { Label } from '../processing/classification.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { ModelFacts } from './describe-models.ts';
import type { JsonSchema } from './openapi.ts';
import type { SchemaBook } from './schema-book.ts';
import { describeTensor, nestedSchema } from './tensor-schemas.ts';

/** The schema of one model's answer to a predict request. */
export function describePredictAnswer(facts: ModelFacts, book: SchemaBook): JsonSchema {
  const { reference } = facts;
  const members = {
    model: { type: 'string', const: reference.name },
    model_version: { type: 'string', description: 'The live version.' },
    inference_time_ms: { type: 'number', minimum: 0, description: 'Time inside the model.' },
  };
  const common = { type: 'object', required: Object.keys(members), properties: members };
  const one = describePrediction(facts, book);
  if (facts.kind === 'tensors') return { allOf: [one, common] };
  const prediction = book.add(`Prediction.${reference.name}`, one);
  const batch = {
    type: 'object',
    required: ['predictions'],
    properties: { predictions: { type: 'array', items: prediction } },
  };
  return {
    anyOf: [
      { title: 'One', allOf: [prediction, common] },
      { title: 'A batch', allOf: [batch, common] },
    ],
  };
}

/** Its answer to a request in Hugging Face's form, which has the same route. */
export function describeTaskAnswer({ gives, outputs }: ModelFacts): JsonSchema {
  const title = "To Hugging Face's clients";
  if (gives !== 'tensors') return { title, type: 'array', items: {} };
  const [only, ...others] = outputs;
  return { title, ...(only && others.length === 0 ? outputSchema(only) : describeOutputs(outputs)) };
}

/** JSON has no NaN and no infinity. */
const NUMBER = { type: ['number', 'null'] };

function describePrediction(facts: ModelFacts, book: SchemaBook): JsonSchema {
  if (isTableForm(facts.form)) return withMembers({ prediction: describeForm(facts.form) });
  switch (facts.gives) {
    case 'classification':
      return classification(facts);
    case 'regression':
      return withMembers({ prediction: { anyOf: [NUMBER, { type: 'array', items: NUMBER }] } });
    case 'rows':
      return describeRow(facts.outputs);
    case 'embedding':
      return withMembers({
        embedding: {
          description: 'A vector, or a list of vectors if the model does not pool them.',
          anyOf: [
            { type: 'array', items: NUMBER },
            { type: 'array', items: { type: 'array', items: NUMBER } },
          ],
        },
        dimensions: { type: 'integer', minimum: 0, description: 'Number of dimensions of a vector.' },
      });
    case 'tensors':
      return withMembers({ outputs: describeOutputs(facts.outputs) });
    case 'values':
      return facts.answer ? book.refer(facts.answer, `Answer.${facts.task}`) : { type: 'object' };
  }
}

/** A value for each row, or a list of values. */
function describeForm(form: TableForm): JsonSchema {
  const value = form === 'labels' ? { type: ['string', 'number', 'null'] } : NUMBER;
  const list = { type: 'array', items: { anyOf: [value, { type: 'array', items: value }] } };
  // Targets with different classes have one list each.
  return { anyOf: [value, list, { type: 'object', additionalProperties: list }] };
}

function withMembers(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties };
}

/** The scores of classes: all for a row or text, the best for an image. */
function namedScores(facts: ModelFacts): Readonly<Record<string, JsonSchema>> {
  const isImage = facts.kind === 'image';
  const schema = isImage
    ? { description: 'Scores of the best five classes.', ...bestScores }
    : { description: 'Score of every class.', ...scores(facts) };
  if (!facts.areProbabilities) return { scores: schema };
  return isImage ? { top_5: schema } : { probabilities: schema };
}

const bestScores: JsonSchema = { type: 'object', maxProperties: 5, additionalProperties: NUMBER };

/** The value of each output for a row, as a number or text, or a list of these. */
function describeRow(outputs: readonly TensorSpec[]): JsonSchema {
  const one = (spec: TensorSpec) => {
    const row = outputSchema({ ...spec, shape: spec.shape.slice(1) });
    return spec.shape.length > 1 ? { anyOf: [outputSchema({ ...spec, shape: [] }), row] } : row;
  };
  return withMembers(Object.fromEntries(outputs.map((spec) => [spec.name, one(spec)])));
}

function describeOutputs(outputs: readonly TensorSpec[]): JsonSchema {
  return withMembers(Object.fromEntries(outputs.map((spec) => [spec.name, outputSchema(spec)])));
}

/** A graph need not keep to the sizes that it declares for its outputs, so they are only described in words. */
function outputSchema(spec: TensorSpec): JsonSchema {
  const isRankDynamic = spec.shape.length === 0;
  const schema = nestedSchema({ ...spec, shape: spec.shape.map(() => -1), isRankDynamic });
  return { description: describeTensor({ ...spec, isRankDynamic }), ...schema };
}

function classification(facts: ModelFacts): JsonSchema {
  const { labels, areProbabilities } = facts;
  const properties = {
    prediction: labels ? labelSchema(labels) : { type: ['string', 'integer'] },
    class_id: {
      type: 'integer',
      description: 'Index of the class.',
      ...(labels && { minimum: 0, maximum: labels.length - 1 }),
    },
    ...(areProbabilities && { confidence: { ...NUMBER, description: 'Probability of the class.' } }),
    ...namedScores(facts),
  };
  const required = Object.keys(properties).filter((key) => labels !== undefined || key !== 'confidence');
  return { type: 'object', required, properties };
}

/** Most classes that are listed; label lists usually have up to a thousand names. */
const MOST_LABELS = 1000;
const MOST_SCORES = 100;

function labelSchema(labels: readonly Label[]): JsonSchema {
  const types = [...new Set(labels.map((label) => (typeof label === 'string' ? 'string' : 'integer')))];
  const [only, ...others] = types;
  return {
    type: others.length > 0 ? types : only,
    ...(labels.length <= MOST_LABELS && { enum: [...new Set(labels)] }),
  };
}

function scores({ labels = [] }: ModelFacts): JsonSchema {
  const names = labels.map(String);
  const isListed = names.length > 0 && names.length <= MOST_SCORES && new Set(names).size === names.length;
  if (!isListed) return { type: 'object', additionalProperties: NUMBER };
  return {
    type: 'object',
    required: names,
    properties: Object.fromEntries(names.map((name) => [name, NUMBER])),
  };
}
