import type { DialectName } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { CSV_TYPE } from '../../http/media-type.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { canBeName } from '../../values/cell.ts';
import type { ModelContract } from '../../values/contract.ts';
import { holdsNames, readCsvParameters, readFirstRow } from '../../values/csv.ts';
import { isLinesType, splitConcatenated } from '../../values/lines.ts';
import { holdsTexts } from '../../values/text-value.ts';
import { holdsJson, isTaskRequest } from '../body/json-body.ts';
import { holdsImages } from '../body/media.ts';
import { chooseAnswerType, JSON_TYPE } from '../headers/answer-type.ts';
import { isForTensorFlow } from '../headers/target.ts';
import type { Invocation } from '../invocation.ts';
import { lookAtModel } from '../look-at-model.ts';
import type { ProtocolOptions } from '../operation.ts';

const V2_TYPES = [
  'application/vnd.sagemaker-triton.binary+json',
  'application/vnd.vertex-ai-triton.binary+json',
];

/**
 * Which format a request on a shared route is in, by its headers and, for JSON, by its members. The first that fits
 * wins: members that only one server takes come before those that several take.
 *
 * @throws InferenceError for JSON that no server takes, naming the members that would be accepted
 */
export async function detectFormat(
  invocation: Invocation,
  { inference }: Pick<ProtocolOptions, 'inference'>,
): Promise<DetectedFormat> {
  const found = dialectOf(invocation);
  if (found !== 'table' && found !== 'texts') return { dialect: found, invocation };
  const kind = found === 'table' ? 'features' : 'text';
  const { contract, ...asked } = await lookAtModel(invocation, inference, kind);
  if (found === 'texts') return { dialect: contract.textInput ? 'hugging-face' : 'mlflow', ...asked };
  return { dialect: isTableOfMlflow(invocation, contract) ? 'mlflow' : 'sagemaker', ...asked };
}

/** A format, with the request for further processing: its model may have been looked up. */
export interface DetectedFormat {
  readonly dialect: DialectName;
  readonly invocation: Invocation;
  /** Milliseconds until the columns of the model were known. */
  readonly loadMs?: number;
}

/** Bodies whose format only the model can decide: CSV, and `inputs` that are texts for a text model. */
type Undecided = 'table' | 'texts';

/** The format, if the request itself shows it. */
function dialectOf(invocation: Invocation): DialectName | Undecided {
  const { body, mediaType } = invocation;
  const { headers } = invocation.request;
  if (V2_TYPES.includes(mediaType) || headers.has('inference-header-content-length')) {
    return 'open-inference';
  }
  if (holdsImages(invocation)) return 'sagemaker';
  const others: DialectName = isForTensorFlow(headers) ? 'tensorflow-serving' : 'sagemaker';
  if (isLinesType(mediaType)) return others;
  if (mediaType === CSV_TYPE) {
    return others === 'sagemaker' ? dialectOfTable(invocation) : others;
  }
  if (!holdsJson({ mediaType, body })) return others;
  const json = readJson(invocation);
  return isJsonObject(json) ? dialectOfObject(json, invocation.request) : others;
}

/** Concatenated values are not valid JSON, but containers of SageMaker take them. */
function readJson({ json, body, budget }: Invocation): JsonValue {
  try {
    return json();
  } catch (error) {
    if (splitConcatenated(body, budget.limits).count > 1) return [];
    throw error;
  }
}

function dialectOfObject(json: JsonObject, request: Request): DialectName | Undecided {
  const { headers } = request;
  const has = (key: string) => Object.hasOwn(json, key);
  const isTensorFlow = isForTensorFlow(headers);
  if (has('inputs') && isTensorList(json.inputs)) return 'open-inference';
  if (has('dataframe_split') || has('dataframe_records')) return 'mlflow';
  if (has('input_data') || has('Inputs')) return 'azure-ml';
  if (has('examples') || (isTensorFlow && (has('instances') || has('inputs')))) return 'tensorflow-serving';
  if (has('instances')) return wantsJson(headers) ? 'mlflow' : 'sagemaker';
  if (has('inputs') && isTaskRequest(json)) return 'hugging-face';
  if (has('inputs')) return holdsTexts(json.inputs) && !isOfMlflow(request) ? 'texts' : 'mlflow';
  if (has('table')) return 'hugging-face';
  if (has('input')) return 'mlflow';
  if (has('data') || has('body')) return 'torchserve';
  if (isTensorFlow) return 'tensorflow-serving';
  throw invalid(
    'The request',
    `is ${describeJson(json)}; expected one of "instances", "inputs", "dataframe_split", "dataframe_records", "input_data", "Inputs", "examples", "table" or "data".`,
  );
}

/** Whether a request is for MLflow's own server, or from its client. */
function isOfMlflow({ url, headers }: Request): boolean {
  const isOfClient = /^mlflow/i.test(headers.get('user-agent') ?? '');
  return isOfClient || /(?<!\/endpoints\/[^/]+)\/invocations$/.test(new URL(url).pathname);
}

/** The inputs of V2 are a list of tensors with names. */
export function isTensorList(value: JsonValue | undefined): boolean {
  const isTensor = (item: JsonValue) =>
    isJsonObject(item) && ['name', 'shape', 'datatype'].every((key) => Object.hasOwn(item, key));
  return Array.isArray(value) && value.length > 0 && value.every(isTensor);
}

/** Only SageMaker's clients ask for anything else. */
function wantsJson(headers: Headers): boolean {
  return chooseAnswerType(headers) === JSON_TYPE;
}

/**
 * Tables of MLflow begin with the names of their columns, those of SageMaker do not, unless the type says so. If the
 * type says nothing, the first row has names when they are the model's own, or when it has only text and the model
 * takes only numbers.
 */
function dialectOfTable({ request, body, budget }: Invocation): DialectName | 'table' {
  const { header } = readCsvParameters(request.headers);
  if (!wantsJson(request.headers)) return 'sagemaker';
  if (header !== undefined) return header === 'present' ? 'mlflow' : 'sagemaker';
  return readFirstRow(body, budget.limits).some(canBeName) ? 'table' : 'sagemaker';
}

function isTableOfMlflow({ body, budget }: Invocation, contract: ModelContract): boolean {
  const cells = readFirstRow(body, budget.limits);
  // A number among texts is a value: a row with a missing value must not be taken for names and lost.
  const areNames = cells.every((cell) => canBeName(cell) || cell.trim() === '');
  return holdsNames(cells, contract) || (areNames && takesNumbers(contract));
}

function takesNumbers({ inputs, imageInput, textInput }: ModelContract): boolean {
  return !imageInput && !textInput && inputs.every(({ datatype }) => DATATYPES[datatype].kind !== 'string');
}
