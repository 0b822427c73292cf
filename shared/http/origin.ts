const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Where a client has sent a request to, without a slash at its end: `https://models.example.org/prod`. Some clients
 * need whole addresses in an answer. Hosts do not know their own; a gateway says in `X-Forwarded-Proto` and
 * `X-Forwarded-Host` what the client called; otherwise `Host` says it.
 *
 * A cache must not keep an answer with such an address: it is correct for this client only.
 *
 * @param basePath the prefix of the deployment; it stands in the address where it stood in the request
 */
export function originOf({ url, headers }: Request, basePath: string): string {
  const proto = firstOf(headers, 'x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http';
  const names = [firstOf(headers, 'x-forwarded-host'), firstOf(headers, 'host')];
  const host = names.find((name) => name !== undefined && HOST.test(name)) ?? new URL(url).host;
  const { pathname } = new URL(url);
  const hasBase = pathname === basePath || pathname.startsWith(`${basePath}/`);
  return `${proto}://${host}${hasBase ? basePath : ''}`;
}

/** The first of the values that proxies have put one after the other. */
function firstOf(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.split(',', 1)[0]?.trim();
}
