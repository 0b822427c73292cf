import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { get } from '../../contracts/exchanges.ts';
import { openApp } from '../../support/hosts/in-process.ts';

const app = openApp();

const read = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
  await app.send({ ...get(path), headers });

describe('/openapi.json', () => {
  it('is JSON that is asked for again every time and sent only when it has changed', async () => {
    const first = await read('/openapi.json');
    expect(first.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-cache' });
    const again = await read('/openapi.json', { 'if-none-match': first.headers.etag ?? '' });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('is compressed for clients that take it so', async () => {
    const plain = await read('/openapi.json');
    const packed = await read('/openapi.json', { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.body.length).toBeLessThan(plain.body.length / 4);
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
  });
});

describe('/docs', () => {
  it('is a page of its own files, with a policy that allows no other script or style', async () => {
    const { headers, body } = await read('/docs');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';");
    expect(policy).not.toMatch(/unsafe|http|\*/);
    const page = body.toString();
    expect(page).not.toMatch(/<script>|<style|style=|onload|\/\//);
    const files = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, file = '']) => file);
    expect(files).toHaveLength(4);
    for (const file of files) expect((await read(`/${file}`)).status, file).toBe(200);
  });

  it('is without a slash at its end, because its files have relative names', async () => {
    const { status, headers } = await read('/docs/');
    expect([status, headers.location]).toEqual([308, '../docs']);
  });

  it.each([
    '/docs/nothing.js',
    '/docs/docs.html.csp',
    '/docs/playground.html',
    '/docs/..%2fdocs.html',
    '/docs/docs.js.br',
  ])('has no %s', async (path) => {
    const { status, body } = await read(path);
    expect(status).toBe(404);
    expect(JSON.parse(body.toString()).error_code).toBe('ENDPOINT_NOT_FOUND');
  });

  it('is linked from the index, and gone with the description where it is switched off', async () => {
    const links = { docs: '/docs', openapi: '/openapi.json' };
    expect(JSON.parse((await read('/')).body.toString()).links).toMatchObject(links);
    const silent = openApp({ DOCS: 'false' });
    expect(JSON.parse((await silent.send(get('/'))).body.toString()).links).not.toHaveProperty('docs');
    for (const path of ['/docs', '/docs/docs.js', '/openapi.json'])
      expect((await silent.send(get(path))).status, path).toBe(404);
  });
});
