import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import type { Pages } from '../../../shared/pages/pages.ts';
import { respondPage } from '../../../shared/pages/respond-page.ts';

const FILES: Readonly<Record<string, string>> = {
  'page.html': '<p>page</p>'.repeat(200),
  'page.html.csp': "default-src 'none'\n",
  'bare.html': '<p>no policy</p>',
  'script.js': 'let a;',
  'style.css': 'p {}',
  'image.png': 'png',
  unknown: 'bytes',
};
const pages: Pages = {
  read: async (name) => (FILES[name] === undefined ? undefined : Buffer.from(FILES[name])),
};

async function respond(name: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const request = new BytesRequest(
    'http://localhost/',
    { method: 'GET', headers: new Headers(headers) },
    Buffer.of(),
  );
  const response = await respondPage(pages, name, request, { vary: 'accept' });
  if (!response) throw new Error(`${name} is not there`);
  return response;
}

describe('respondPage', () => {
  it.each([
    ['page.html', 'text/html; charset=utf-8'],
    ['script.js', 'text/javascript; charset=utf-8'],
    ['style.css', 'text/css; charset=utf-8'],
    ['image.png', 'image/png'],
    ['unknown', 'application/octet-stream'],
  ])('serves %s as %s, to be revalidated, and without a referrer to other sites', async (name, type) => {
    const response = await respond(name);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(FILES[name]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      vary: 'accept',
      etag: expect.stringMatching(/^W\/"[\w-]{22}"$/),
    });
  });

  it('sends the policy of a document, and no document without one', async () => {
    expect((await respond('page.html')).headers.get('content-security-policy')).toBe("default-src 'none'");
    expect((await respond('script.js')).headers.has('content-security-policy')).toBe(false);
    await expect(respond('bare.html')).rejects.toThrow('not there');
  });

  it('has nothing to say about a file that is not there', async () => {
    await expect(respond('other.html')).rejects.toThrow('other.html is not there');
  });

  it('answers 304 without a body to a client that has the file', async () => {
    const etag = (await respond('page.html')).headers.get('etag') ?? '';
    for (const given of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
      const response = await respond('page.html', { 'if-none-match': given, 'accept-encoding': 'gzip' });
      expect(response.status, given).toBe(304);
      expect(response.body).toBeNull();
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('content-security-policy')).toBe("default-src 'none'");
    }
    const other = (await respond('script.js')).headers.get('etag') ?? '';
    expect((await respond('page.html', { 'if-none-match': other })).status).toBe(200);
  });

  it('compresses for a client that can read it', async () => {
    const response = await respond('page.html', { 'accept-encoding': 'gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('vary')).toBe('accept, accept-encoding');
    expect(gunzipSync(await response.bytes()).toString()).toBe(FILES['page.html']);
  });
});
