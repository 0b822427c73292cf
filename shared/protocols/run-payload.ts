import { encodeColumns, encodeNamedColumns, encodeRows } from '../answers/predictions.ts';
import type { ProtocolName } from '../config.ts';
import type { Used } from '../inference/inference.ts';
import type { Model } from '../inference/load-model.ts';
import type { ModelRunOptions, ModelUse } from '../inference/model-use.ts';
import { givesRows } from '../inference/run-batch.ts';
import { isTableForm } from '../inference/table-form.ts';
import type { WritableJson } from '../json/write-json.ts';
import type { AnswerForm, Answering } from '../models/answer-forms.ts';
import type { NamedTensors } from '../runtime/session.ts';
import type { ElementStyle } from '../tensor/write-tensor.ts';
import type { ModelContract } from '../values/contract.ts';
import type { NamedInputs } from '../values/named-inputs.ts';
import type { Payload } from './body/payload.ts';
import type { Invocation, Reading } from './invocation.ts';
import type { ProtocolOptions } from './operation.ts';

/** The outputs of a graph, or the predictions of a tabular model as one output. */
export interface GraphOutputs extends Answering, Pick<ModelContract, 'flavour' | 'maps'> {
  readonly tensors: NamedTensors;
  /** Whether the first axis of each tensor counts instances. */
  readonly areRows: boolean;
}

/** The protocols of a route. The first that the model's config names decides the form of answers to tables. */
export type Protocols = readonly [ProtocolName, ...ProtocolName[]];

/** The name of the only output in a form of a table; most answers do not show it. */
const PREDICTION = 'prediction';

/**
 * Runs the graph of the model a request means on what was read of it.
 */
export async function runPayload(
  invocation: Invocation,
  { inference }: Pick<ProtocolOptions, 'inference'>,
  reading: Reading<Payload>,
  protocols: Protocols,
): Promise<Used<GraphOutputs>> {
  const choice = { ...invocation.choice, kind: reading.value.kind };
  return await inference.use(choice, invocation, (model) =>
    reading.bind(({ toInputs, layout }) => runInForm(model, protocols, toInputs(model.contract), { layout })),
  );
}

/** Runs the graph of a model on tensors, and answers tables in their form. */
export async function runInForm(
  { contract, model, run }: ModelUse,
  protocols: Protocols,
  inputs: NamedInputs,
  options: Pick<ModelRunOptions, 'layout' | 'deadlineMs'>,
): Promise<GraphOutputs> {
  const answering = contract.answering(protocols);
  const { form } = answering;
  const isTable = contract.kind === 'features' && isTableForm(form);
  const areRows = isTable || options.layout === 'instances' || givesRows(model.session);
  const inForm = isTable && { outputs: [PREDICTION], forms: new Map([[PREDICTION, form]]) };
  const tensors = await run(inputs, { ...options, ...inForm });
  return {
    tensors: isTable && givesColumn(contract, model, form) ? asColumns(tensors) : tensors,
    areRows,
    ...answering,
    flavour: contract.flavour,
    maps: contract.maps,
  };
}

/** CatBoost predicts one of several classes as a column. Source: CatBoostClassifier.predict. */
function givesColumn({ flavour }: ModelContract, { task }: Model, form: AnswerForm): boolean {
  return flavour === 'catboost' && form === 'labels' && (task.labels?.length ?? 0) > 2;
}

function asColumns(tensors: NamedTensors): NamedTensors {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, shape: [...tensor.shape, 1] }]));
}

/** Outputs by instance, or whole outputs by name, as the form requires. */
export function encodeListed({ tensors, form }: GraphOutputs, style: ElementStyle): WritableJson {
  return form === 'columns' ? encodeNamedColumns(tensors, style) : encodeRows(tensors, style);
}

/** Whole outputs; the only one stands without its name unless the form has names. */
export function encodeWhole({ tensors, form }: GraphOutputs, style: ElementStyle): WritableJson {
  return form === 'columns' ? encodeNamedColumns(tensors, style) : encodeColumns(tensors, style);
}
