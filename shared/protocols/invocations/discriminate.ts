import type { DialectName } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { isJsonType } from '../../http/media-type.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/parse-json.ts';
import { holdsImages } from '../codecs/media.ts';
import type { Invocation } from '../invocation.ts';

const V2_TYPES = [
  'application/vnd.sagemaker-triton.binary+json',
  'application/vnd.vertex-ai-triton.binary+json',
];

/** Types under which clients send JSON without saying so. */
const UNTYPED = ['', 'application/x-www-form-urlencoded', 'application/octet-stream', 'text/plain'];

/**
 * Which format a request on a shared route is in, by its headers and, for JSON, by its members. The first that fits
 * wins: what only one server takes comes before what several do.
 *
 * @throws InferenceError for JSON that no server takes, with the members that would do
 */
export function discriminate(invocation: Invocation): DialectName {
  const { request, mediaType } = invocation;
  if (V2_TYPES.includes(mediaType) || request.headers.has('inference-header-content-length')) {
    return 'open-inference';
  }
  if (holdsImages(invocation)) return 'sagemaker';
  if (mediaType === 'text/csv') return hasHeaderRow(invocation) ? 'mlflow' : 'sagemaker';
  if (!isJsonType(mediaType) && !(UNTYPED.includes(mediaType) && looksLikeJson(invocation.body))) {
    return 'sagemaker';
  }
  const json = invocation.json();
  return isJsonObject(json) ? dialectOfObject(json, request.headers) : 'sagemaker';
}

function dialectOfObject(json: JsonObject, headers: Headers): DialectName {
  const has = (key: string) => Object.hasOwn(json, key);
  const isTensorFlow = /(?:^|,)\s*tfs-/.test(headers.get('x-amzn-sagemaker-custom-attributes') ?? '');
  if (has('inputs') && isTensorList(json.inputs)) return 'open-inference';
  if (has('dataframe_split') || has('dataframe_records')) return 'mlflow';
  if (has('input_data')) return 'azure-ml';
  if (has('examples') || (isTensorFlow && (has('instances') || has('inputs')))) return 'tensorflow-serving';
  if (has('instances')) return 'mlflow';
  if (has('inputs')) return isTaskRequest(json) ? 'hugging-face' : 'mlflow';
  if (has('table')) return 'hugging-face';
  if (has('data') || has('body')) return 'torchserve';
  throw invalid(
    `The request is ${describeJson(json)}; expected one of "instances", "inputs", "dataframe_split", "dataframe_records", "input_data", "examples", "table" or "data".`,
  );
}

/** The inputs of V2 are a list of tensors that tell their names. */
function isTensorList(value: JsonValue | undefined): boolean {
  const isTensor = (item: JsonValue) =>
    isJsonObject(item) && ['name', 'shape', 'datatype'].every((key) => Object.hasOwn(item, key));
  return Array.isArray(value) && value.length > 0 && value.every(isTensor);
}

/** Hugging Face takes a text, such as an image in base64, or anything beside `parameters`. */
export function isTaskRequest(json: JsonObject): boolean {
  if (typeof json.inputs === 'string') return true;
  const isForeign = Object.hasOwn(json, 'signature_name') || Object.hasOwn(json, 'params');
  return isJsonObject(json.parameters) && !isForeign;
}

/** JSON begins with a bracket, perhaps after white space. */
function looksLikeJson(body: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*[[{]/.test(Buffer.from(body.subarray(0, 64)).toString('latin1'));
}

/** CSV of MLflow begins with the names of its columns, that of SageMaker does not, unless its type says so. */
function hasHeaderRow({ request, body }: Invocation): boolean {
  const parameter = /;\s*header\s*=\s*"?(present|absent)/i.exec(request.headers.get('content-type') ?? '');
  if (parameter) return parameter[1]?.toLowerCase() === 'present';
  const [first = ''] = Buffer.from(body.subarray(0, 65_536)).toString('utf8').split(/\r?\n/, 1);
  const cells = first.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  return cells.some(
    (cell) => cell !== '' && Number.isNaN(Number(cell)) && !/^[+-]?(?:nan|inf(?:inity)?)$/i.test(cell),
  );
}
