import { brotliCompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openPagesFolder } from '../../../shared/pages/folder.ts';
import { respondPage } from '../../../shared/pages/respond-page.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const SCRIPT = `${'let a = 1;'.repeat(300)}`;
const PACKED = brotliCompressSync(SCRIPT);

async function ask(headers: Readonly<Record<string, string>>) {
  const pages = openPagesFolder(await makeFolder({ 'a.js.br': PACKED }));
  const response = await respondPage(pages, 'a.js', new Request('http://localhost/a.js', { headers }));
  if (!response) throw new Error('there is no page');
  const body = response.body === null ? undefined : Buffer.from(await response.bytes());
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

describe('a page that is stored compressed', () => {
  it('goes out as it is to a client that takes Brotli', async () => {
    const { headers, body } = await ask({ 'accept-encoding': 'gzip, deflate, br' });
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'br',
      vary: 'accept-encoding',
    });
    expect(body?.equals(PACKED)).toBe(true);
  });

  it('goes out in gzip to a client that takes nothing smaller', async () => {
    const { headers, body } = await ask({ 'accept-encoding': 'gzip, br;q=0' });
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(body ?? '').toString()).toBe(SCRIPT);
  });

  it.each(['', 'br;q=0', 'gzip;q=0', 'identity'])(
    'goes out plain to one that accepts "%s"',
    async (coding) => {
      const { headers, body } = await ask({ 'accept-encoding': coding });
      expect(headers['content-encoding']).toBeUndefined();
      expect(headers.vary).toBe('accept-encoding');
      expect(body?.toString()).toBe(SCRIPT);
    },
  );

  it('is not sent again to a client that has it, in any encoding', async () => {
    const { etag = '' } = (await ask({ 'accept-encoding': 'gzip' })).headers;
    const again = await ask({ 'if-none-match': `"other", ${etag}` });
    expect([again.status, again.body, again.headers.etag]).toEqual([304, undefined, etag]);
    expect((await ask({ 'if-none-match': '"other"' })).status).toBe(200);
  });
});
