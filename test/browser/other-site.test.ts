import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { get } from '../contracts/exchanges.ts';
import { type ChildHost, openLocalServer } from '../support/hosts/child-process.ts';
import { findChromium } from './chromium.ts';
import { openBrowser, openPage } from './watched-page.ts';

const BODY = '{"features": [5.1, 3.5, 1.4, 0.2]}';

// To a browser 127.0.0.1 and localhost are two sites.
describe.runIf(findChromium())('a page of another site', () => {
  let browser: Browser;
  let host: ChildHost;
  let site: Server;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
    host = await openLocalServer({ ADMIN_ROUTES: 'true', PRELOAD_MODELS: 'iris', LOG_LEVEL: 'warn' });
    site = createServer((_, response) => {
      response
        .setHeader('content-type', 'text/html')
        .end(`<a href="http://localhost:${host.port}/">Try it</a>`);
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    const address = site.address();
    ({ page } = await openPage(browser));
    await page.goto(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    site?.closeAllConnections();
    site?.close();
  });

  /** Sends a request as any page can without asking; its answer cannot be read. */
  const send = (path: string, body: string) =>
    page.evaluate(
      async ([url, text]) => (await fetch(url, { method: 'POST', mode: 'no-cors', body: text })).type,
      [`http://localhost:${host.port}${path}`, body] as const,
    );
  const read = async (path: string) => JSON.parse((await host.send(get(path))).body.toString());

  it('cannot have a model run', async () => {
    expect(await send('/models/iris/predict', BODY)).toBe('opaque');
    const { model_stats: statistics } = await read('/v2/models/iris/versions/2/stats');
    expect(statistics).toMatchObject([{ name: 'iris', version: '2', inference_count: 0 }]);
  });

  it('cannot unload a model', async () => {
    expect(await send('/v2/repository/models/iris/unload', '')).toBe('opaque');
    const { models } = await read('/health');
    expect(models).toContainEqual(expect.objectContaining({ name: 'iris', state: 'loaded' }));
  });

  it('cannot read answers under a name of its own that leads here', async () => {
    const { page: rebound } = await openPage(browser);
    onTestFinished(() => rebound.close());
    const answer = await rebound.goto(`http://evil.example:${host.port}/models`);
    expect([answer?.status(), await answer?.json()]).toEqual([
      403,
      expect.objectContaining({ error: expect.stringContaining('is not known as "evil.example"') }),
    ]);
  });

  it('can link to the playground, which works', async () => {
    await page.getByRole('link').click();
    await page.waitForURL(`http://localhost:${host.port}/**`);
    expect(await page.title()).toContain('Ternion');
    const answer = await page.evaluate(
      async (body) => (await fetch('/models/iris/predict', { method: 'POST', body })).json(),
      BODY,
    );
    expect(answer).toMatchObject({ prediction: 'setosa' });
  });
});
