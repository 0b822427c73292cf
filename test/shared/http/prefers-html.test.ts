import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { prefersHtml } from '../../../shared/http/prefers-html.ts';

const app = new Hono().get('/', (c) => c.text(prefersHtml(c) ? 'html' : 'json'));

async function choose(accept: string | undefined): Promise<string> {
  return await (await app.request('/', { headers: accept === undefined ? {} : { accept } })).text();
}

describe('prefersHtml', () => {
  it.each([
    'text/html',
    'TEXT/HTML',
    'text/html; charset=utf-8',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
    'text/html, */*',
    'text/*',
    'application/json;q=0.9, text/html',
    'text/html;q=0.2, application/json;q=0.1',
    'text/html;q=0.2, */*;q=0.1',
    'image/png, text/html;q=0.1',
  ])('takes %s as a wish for a page', async (accept) => {
    expect(await choose(accept)).toBe('html');
  });

  it.each([
    undefined,
    '',
    '*/*',
    'application/json',
    'application/json, text/plain, */*',
    'application/json, text/html',
    'text/html, application/json',
    'text/html;q=0.9, application/json',
    'text/html;q=0.5, */*',
    'text/html;q=0',
    'text/html;q=0, */*',
    'application/json;q=0, */*',
    'text/html;q=0, text/*',
    'text/*;q=0.5, application/*',
    'text/plain',
    'text/html2',
    'nonsense',
    ', ;q=1',
  ])('takes %s as no such wish', async (accept) => {
    expect(await choose(accept)).toBe('json');
  });
});
