import { invalid } from '../../shared/errors.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { HeaderList } from '../../shared/http/header-list.ts';
import { INPUT_KEYS } from '../../shared/protocols/input-keys.ts';
import { requestUrl } from '../host.ts';

/** The keys that mark a direct invoke: the model, or the input of a predict request or of a Hugging Face request. */
export const DIRECT_INVOKE_KEYS = ['model', ...INPUT_KEYS, 'table'] as const;

/** Whether an event was made for Ternion. Mistakes in it are then answered with an error value. */
export function isDirectInvoke(event: unknown): event is object {
  if (typeof event !== 'object' || event === null) return false;
  return DIRECT_INVOKE_KEYS.some((key) => Object.hasOwn(event, key));
}

/**
 * A direct invoke has no HTTP around it: the payload is the JSON body of a predict request, with the model and the
 * version next to the input, as `{"model": "iris", "version": "1", "features": [...]}`.
 *
 * @throws InferenceError when the model or the version is not a name
 */
export function toPredictRequest(payload: object): Request {
  const { model, version, ...body }: { model?: unknown; version?: unknown } = payload;
  if (version !== undefined && model === undefined) {
    throw invalid('Field "version"', 'needs the field "model" as well.');
  }
  const modelPath = model === undefined ? '' : `/models/${toSegment(model, 'model')}`;
  const versionPath = version === undefined ? '' : `/versions/${toSegment(version, 'version')}`;
  const headers = new HeaderList({ 'content-type': 'application/json' });
  const bytes = Buffer.from(JSON.stringify(body));
  return new BytesRequest(
    requestUrl(`${modelPath}${versionPath}/predict`),
    { method: 'POST', headers },
    bytes,
  );
}

/** Versions are often numbers, which a JSON payload does not have to quote. In a path, "." and ".." would disappear. */
function toSegment(value: unknown, field: string): string {
  const isName =
    typeof value === 'number' || (typeof value === 'string' && value !== '' && !/^\.+$/.test(value));
  if (!isName)
    throw invalid(`Field "${field}"`, `is ${JSON.stringify(value)}; expected the name of a ${field}.`);
  return encodeURIComponent(value);
}
