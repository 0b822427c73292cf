import { BytesRequest } from '../../shared/http/bytes.ts';
import { requestUrl } from '../host.ts';

/**
 * A direct invoke has no HTTP around it: the payload is the JSON body of a predict request, with the model and the
 * version beside the input, as `{"model": "iris", "version": "1", "features": [...]}`.
 */
export function toPredictRequest(payload: unknown): Request {
  const { model, version, body } = takeModel(payload);
  const path =
    model === undefined
      ? '/predict'
      : `/models/${encodeURIComponent(model)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}/predict`;
  const headers = new Headers({ 'content-type': 'application/json' });
  return new BytesRequest(
    requestUrl(path),
    { method: 'POST', headers },
    Buffer.from(JSON.stringify(body ?? null)),
  );
}

/** The answer as a plain value: a caller without HTTP gets no status, but errors carry theirs in `code`. */
export async function toPlainResult(response: Response): Promise<unknown> {
  return await response.json();
}

function takeModel(payload: unknown): { model?: string; version?: string; body: unknown } {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return { body: payload };
  const { model, version, ...body }: { model?: unknown; version?: unknown } = payload;
  return {
    body,
    ...(model !== undefined && { model: String(model) }),
    ...(version !== undefined && { version: String(version) }),
  };
}
