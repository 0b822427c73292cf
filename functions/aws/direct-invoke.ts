import { invalid } from '../../shared/errors.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { requestUrl } from '../host.ts';

/**
 * A direct invoke has no HTTP around it: the payload is the JSON body of a predict request, with the model and the
 * version beside the input, as `{"model": "iris", "version": "1", "features": [...]}`.
 *
 * @throws InferenceError when model or version are not names
 */
export function toPredictRequest(payload: unknown): Request {
  const { model, version, body } = takeModel(payload);
  if (version !== undefined && model === undefined) {
    throw invalid('Field "version" needs the field "model" beside it.');
  }
  const modelPath = model === undefined ? '' : `/models/${toSegment(model, 'model')}`;
  const versionPath = version === undefined ? '' : `/versions/${toSegment(version, 'version')}`;
  const headers = new Headers({ 'content-type': 'application/json' });
  const bytes = Buffer.from(JSON.stringify(body ?? null));
  return new BytesRequest(
    requestUrl(`${modelPath}${versionPath}/predict`),
    { method: 'POST', headers },
    bytes,
  );
}

function takeModel(payload: unknown): { model?: unknown; version?: unknown; body: unknown } {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return { body: payload };
  const { model, version, ...body }: { model?: unknown; version?: unknown } = payload;
  return { model, version, body };
}

/** Versions are often numbers, which a JSON payload need not quote. A path would swallow "." and "..". */
function toSegment(value: unknown, field: string): string {
  const isName =
    typeof value === 'number' || (typeof value === 'string' && value !== '' && !/^\.+$/.test(value));
  if (!isName)
    throw invalid(`Field "${field}" is ${JSON.stringify(value)}; expected the name of a ${field}.`);
  return encodeURIComponent(value);
}
