/**
 * Whether a browser sent a request for a page of another origin. Browsers say so in `Sec-Fetch-Site` wherever the
 * connection can be trusted, else only in `Origin`, which is compared with the name that the server was called by.
 * Neither can be set by a script, and programs that are not browsers send neither.
 *
 * Source: W3C Fetch Metadata Request Headers, section 2.1; Fetch, section 3.2.
 */
export function isFromForeignPage(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  // A gateway may have changed the name, so only what the browser says counts.
  if (site !== null) return site !== 'same-origin' && site !== 'none';
  const origin = headers.get('origin');
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get('host')?.toLowerCase();
}
