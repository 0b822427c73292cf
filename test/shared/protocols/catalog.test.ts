import { describe, expect, it } from 'vitest';
import { createContext, requestUrl } from '../../../functions/host.ts';
import { createApp } from '../../../shared/app.ts';
import { parseConfig } from '../../../shared/config.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { openPagesFolder } from '../../../shared/pages/folder.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { openRepository } from '../../support/open-repository.ts';
import { MODELS, PAGES } from '../../support/project.ts';
import { SILENT_MONITORING } from '../../support/silent-monitoring.ts';
import { makeTrials } from '../../support/trials.ts';

/** The app over the built pages, with a note of each that is read. */
function openApp(environment: Readonly<Record<string, string>> = {}, folder = PAGES) {
  const pages = openPagesFolder(folder);
  const read: string[] = [];
  const log: string[] = [];
  const store = openFilesystemStore(MODELS);
  const app = createApp({
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    config: parseConfig(environment),
    repository: openRepository({
      ...store,
      list: () => Promise.reject(new StoreError('unreachable', 'gone')),
    }),
    logger: createLogger('warn', (line) => log.push(line)),
    trials: makeTrials(),
    monitoring: SILENT_MONITORING,
    pages: {
      read: (name) => {
        read.push(name);
        return pages.read(name);
      },
    },
  });
  const get = async (accept: string, path = '/') => {
    const request = new BytesRequest(
      requestUrl(path),
      { method: 'GET', headers: new Headers({ accept }) },
      Buffer.of(),
    );
    return await app.fetch(request, createContext(request.headers, 'id-1'));
  };
  return { get, read, log };
}

describe('the root of the server', () => {
  it('is the playground to browsers, even while no model can be listed', async () => {
    const { get } = openApp();
    const page = await get('text/html');
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/^<!doctype html>.*<title>Ternion playground<\/title>/s);
    expect((await get('*/*')).status).toBe(503);
  });

  it.each(['curves', 'releases'])(
    'has the %s as another page, also with a key in the address',
    async (name) => {
      const { get } = openApp();
      const page = await get('text/html', `/?code=key&page=${name}`);
      expect(await page.text()).toMatch(new RegExp(`^<!doctype html>.*<title>Ternion ${name}</title>`, 's'));
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'sha256-/);
      expect((await get('application/json', `/?page=${name}`)).status).toBe(503);
      expect(await (await get('text/html', '/?page=other')).text()).toContain('<title>Ternion playground<');
    },
  );

  it('reads the page when a browser asks and not before', async () => {
    const { get, read } = openApp();
    await get('application/json');
    expect(read).toEqual([]);
    await get('text/html');
    expect(read).toEqual(['playground.html.br', 'playground.html', 'playground.html.csp']);
  });

  it('allows only the page itself to run, and no other page to frame it', async () => {
    const page = await openApp().get('text/html');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; /,
    );
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('is the index to browsers as well where the playground is switched off', async () => {
    const { get, read } = openApp({ PLAYGROUND: 'false' });
    for (const path of ['/', '/?page=curves', '/?page=releases'])
      expect((await get('text/html', path)).headers.get('content-type')).toBe('application/json');
    expect(read).toEqual([]);
  });

  it('is the index, with a warning in the log, where the build has no pages', async () => {
    const { get, log } = openApp({}, '/nowhere');
    expect((await get('text/html')).headers.get('content-type')).toBe('application/json');
    expect(log.join()).toContain('the playground is not among the pages of this build');
  });
});
