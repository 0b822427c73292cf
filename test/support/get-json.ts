import { createContext, requestUrl } from '../../functions/host.ts';
import type { App } from '../../shared/app.ts';

/** The JSON of an answer to a GET. */
export async function get(app: App, path: string): Promise<ReturnType<typeof JSON.parse>> {
  const request = new Request(requestUrl(path));
  return await (await app.fetch(request, createContext(request.headers, 'host-id'))).json();
}
