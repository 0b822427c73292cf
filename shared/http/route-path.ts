import { getPathNoStrict } from 'hono/utils/url';

/** Prefix of the routes that TensorFlow Serving matches in any case. */
const ANY_CASE = /^\/v1\/models(?:\/|$)/i;
const LITERALS = /^(\/v1\/models)(\/[^/:]+)?(\/(?:versions|labels)\/[^/:]+)?(\/metadata|:\w+)?$/i;

/**
 * The path of a request as routes are written: decoded, without a slash at its end and without the prefix of the
 * deployment, such as the stage of a gateway. Gateways and clients may write the colon of `:predict` as `%3A`.
 *
 * @param basePath the prefix, `/prod` for example; '' for none. Paths without it are not changed.
 */
export function routePathOf(request: Request, basePath: string): string {
  const decoded = getPathNoStrict(request).replaceAll(/%3a/gi, ':');
  const hasBase = basePath !== '' && (decoded === basePath || decoded.startsWith(`${basePath}/`));
  const path = hasBase ? decoded.slice(basePath.length) || '/' : decoded;
  return ANY_CASE.test(path) ? lowerLiterals(path) : path;
}

/** The path of the URL of a request as it was sent, without the query. */
export function pathOfUrl(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}

/** `/V1/Models/Iris:PREDICT` → `/v1/models/Iris:predict`: names keep their case. */
function lowerLiterals(path: string): string {
  return path.replace(
    LITERALS,
    (_, root: string, model = '', version: string | undefined = '', end: string | undefined = '') =>
      root.toLowerCase() +
      model +
      version.replace(/^\/\w+/, (word) => word.toLowerCase()) +
      end.toLowerCase(),
  );
}

/** A path of the configuration. The paths of requests have no slash at their end. */
export function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
