import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../browser/chromium.ts';
import { openBrowser, openPage } from '../browser/watched-page.ts';
import { EXAMPLES } from '../support/examples.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import { type Running, startCommand, startNode } from '../support/run-command.ts';

const FOLDER = join(EXAMPLES, 'image-api');
const picture = (name: string) => join(FOLDER, 'pictures', name);

/** Each picture has the name of its sign. */
const PICTURES = ['give-way', 'no-entry', 'parking', 'priority-road', 'stop', 'turn-right'];

let model: Running;
let web: Running;
let url: string;
let nobody: Running;
let alone: string;

async function startWeb(server: string): Promise<{ running: Running; at: string }> {
  const running = startNode([join(FOLDER, 'web.mjs'), server], { PORT: String(await findFreePort()) });
  return { running, at: (await running.seen(/http:\S+/)).replace('localhost', '127.0.0.1') };
}

beforeAll(async () => {
  const port = String(await findFreePort());
  model = startCommand(['serve', '-r', join(FOLDER, 'models'), '--port', port, '--grace', '0']);
  await model.seen(/Ternion serves/);
  ({ running: web, at: url } = await startWeb(`http://localhost:${port}`));
  ({ running: nobody, at: alone } = await startWeb(`http://localhost:${await findFreePort()}`));
});
afterAll(async () => {
  for (const { process, outcome } of [nobody, web, model]) {
    process.kill('SIGTERM');
    await outcome;
  }
});

describe('the server of the page', () => {
  it.each(PICTURES)('passes the picture of %s on, and the answer back', async (name) => {
    const form = new FormData();
    form.set('file', new Blob([await readFile(picture(`${name}.jpg`))]), `${name}.jpg`);
    const response = await fetch(`${url}/predict`, { method: 'POST', body: form });
    expect([response.status, (await response.json()).prediction]).toEqual([200, name.replace('-', ' ')]);
  });

  it('passes the reason why a file is refused', async () => {
    const form = new FormData();
    form.set('file', new Blob(['no picture']), 'notes.txt');
    const response = await fetch(`${url}/predict`, { method: 'POST', body: form });
    expect([response.status, (await response.json()).error]).toEqual([
      415,
      expect.stringContaining('"file" is not an image'),
    ]);
  });

  it('says so if the model server does not run', async () => {
    const response = await fetch(`${alone}/predict`, { method: 'POST', body: 'x' });
    expect([response.status, await response.json()]).toEqual([
      502,
      { error: 'The model server does not answer.' },
    ]);
  });

  it('serves nothing else', async () => {
    expect((await fetch(`${url}/models`)).status).toBe(404);
    expect((await fetch(`${url}/`)).headers.get('content-type')).toBe('text/html; charset=utf-8');
  });
});

describe.runIf(findChromium())('the page', () => {
  it('shows what is on a picture, and then why a file is refused', async () => {
    const browser = await openBrowser();
    try {
      const { page, problems } = await openPage(browser);
      await page.goto(url);
      await page.setInputFiles('input[type=file]', picture('stop.jpg'));
      await page.click('text=Ask');
      await page.waitForSelector('text=It is stop.');
      const rows = await page.locator('tr').allInnerTexts();
      expect([rows.length, rows[0]]).toEqual([5, expect.stringMatching(/^stop\s+90\.2 %$/)]);
      await page.setInputFiles('input[type=file]', join(FOLDER, 'README.md'));
      await page.click('text=Ask');
      await page.waitForSelector('text=is not an image this server knows');
      expect(await page.locator('tr').count()).toBe(0);
      // The browser itself logs the refusal.
      expect(problems).toEqual([expect.stringContaining('415')]);
    } finally {
      await browser.close();
    }
  });
});
