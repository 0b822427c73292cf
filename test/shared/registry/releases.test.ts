import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { propose } from '../../../shared/releases/changes.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { KEY, type OpenRegistry, openRegistry } from '../../support/open-registry.ts';

const RELEASES = 'ternion/registered-models';

async function newest({ call }: OpenRegistry, name = 'iris') {
  const { body } = await call('GET', `${RELEASES}/history`, { name });
  const [first] = Array.isArray(body.changes) ? body.changes : [];
  return first;
}

describe('a release over HTTP', () => {
  it('makes a version or alias live, and its why is in the history', async () => {
    const registry = await openRegistry();
    const { call, ask, url } = registry;
    await ask('POST', 'registered-models/alias', { name: 'iris', alias: 'next', version: '1' });
    const promoted = await call('POST', `${RELEASES}/promote`, {
      name: 'iris',
      version: 'next',
      why: 'fewer complaints',
    });
    expect(promoted).toMatchObject({
      status: 200,
      body: { registered_model: { name: 'iris', aliases: [{ alias: 'next', version: '1' }] } },
    });
    expect(await newest(registry)).toMatchObject({
      revision: 2,
      by: 'admin',
      why: 'fewer complaints',
      action: 'promote next',
      live: '1',
    });
    const answered = await fetch(`${url}/models/iris/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"features":[5.1,3.5,1.4,0.2]}',
    });
    expect(answered.headers.get('ternion-model-version')).toBe('1');
  });

  it('changes the shares that it names, and no others', async () => {
    const registry = await openRegistry();
    const { call, ask } = registry;
    await ask('POST', 'model-versions/create', { name: 'iris', source: 'models:/iris/1' });
    await ask('POST', 'registered-models/alias', { name: 'iris', alias: 'canary', version: '1' });
    const split = (shares: unknown) => call('POST', `${RELEASES}/split`, { name: 'iris', shares });
    expect((await split({ canary: 2.5 })).status).toBe(200);
    expect((await split({ 3: 10 })).body.message).toMatch(/^Version 3 of model "iris" is live/);
    expect((await split({ 2: 10 })).status).toBe(200);
    expect(await newest(registry)).toMatchObject({
      action: 'split 2=10',
      split: { canary: 2.5, 2: 10 },
      why: '',
    });
    expect((await split({ canary: 0 })).status).toBe(200);
    expect(await newest(registry)).toMatchObject({ action: 'split canary=0', split: { 2: 10 } });
  });

  it.each([
    [{ nobody: 5 }, 'Model "iris" has no version or alias "nobody"; its versions are: 1, 2.'],
    [{ nobody: 0 }, 'The split of model "iris" has no "nobody".'],
    [{ 1: 101 }, 'Parameter "shares.1" has the number 101; expected a number from 0 to 100.'],
    [{ 1: -1 }, 'Parameter "shares.1" has the number -1; expected a number from 0 to 100.'],
    [{ 1: '5' }, 'Parameter "shares.1" has the string "5"; expected a number from 0 to 100.'],
    [{ 1: 0.001 }, 'The share of "1" is 0.001 %; expected 0 to 100 with at most two decimals.'],
    [
      {},
      'Parameter "shares" has an object with no keys; expected an object with a share in percent by version or alias.',
    ],
    [
      undefined,
      'Parameter "shares" has nothing; expected an object with a share in percent by version or alias.',
    ],
  ])('refuses the shares %j', async (shares, message) => {
    const registry = await openRegistry();
    expect(await registry.call('POST', `${RELEASES}/split`, { name: 'iris', shares })).toMatchObject({
      status: 400,
      body: { message },
    });
    expect(await newest(registry)).toBeUndefined();
  });

  it('is refused if somebody was faster, and says who', async () => {
    const registry = await openRegistry();
    const { call } = registry;
    const promote = (version: string, expected: number) =>
      call('POST', `${RELEASES}/promote`, { name: 'iris', version, expected_revision: expected });
    const both = await Promise.all([promote('1', 0), promote('2', 0)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const { action, timestamp } = await newest(registry);
    expect(both.find(({ status }) => status === 409)?.body).toMatchObject({
      error_code: 'RESOURCE_CONFLICT',
      message: `admin was faster: revision 1 of model "iris" is "${action}", of ${new Date(timestamp).toISOString()}.`,
    });
    expect((await promote('1', 1)).status).toBe(200);
    expect(
      await call('POST', `${RELEASES}/rollback`, { name: 'iris', revision: 0, expected_revision: 1 }),
    ).toMatchObject({ status: 409 });
    expect(
      await call('POST', `${RELEASES}/rollback`, {
        name: 'iris',
        revision: 0,
        expected_revision: 2,
        why: 'undo all',
      }),
    ).toMatchObject({ status: 200 });
    expect(await newest(registry)).toMatchObject({ action: 'rollback 0', why: 'undo all', live: null });
  });

  it('goes back to the aliases that were there before the first change', async () => {
    const registry = await openRegistry();
    await writeFile(join(registry.folder, 'iris/deployment.json'), '{"aliases": {"champion": "1"}}');
    const { call } = registry;
    await call('POST', `${RELEASES}/promote`, { name: 'iris', version: '2' });
    await call('POST', `${RELEASES}/split`, { name: 'iris', shares: { champion: 5 } });
    expect(await call('POST', `${RELEASES}/rollback`, { name: 'iris', revision: 0 })).toMatchObject({
      status: 200,
    });
    expect(await newest(registry)).toMatchObject({ live: null, aliases: { champion: '1' }, split: {} });
  });

  it('does not go back to a change that cannot be read', async () => {
    const registry = await openRegistry();
    for (const version of ['1', '2', '1'])
      await registry.call('POST', `${RELEASES}/promote`, { name: 'iris', version });
    await writeFile(join(registry.folder, 'releases/iris/2.json'), '{');
    expect(await registry.call('POST', `${RELEASES}/rollback`, { name: 'iris', revision: 2 })).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^Parameter "revision" is 2, which cannot be read any more/) },
    });
    expect(await newest(registry)).toMatchObject({ revision: 3, live: '1' });
  });

  it('has pages of its history', async () => {
    const registry = await openRegistry();
    for (const version of ['1', '2', '1'])
      await registry.call('POST', `${RELEASES}/promote`, { name: 'iris', version });
    const page = async (fields: Record<string, unknown>) =>
      (await registry.call('GET', `${RELEASES}/history`, { name: 'iris', max_results: 2, ...fields })).body;
    const { next_page_token, ...first } = await page({});
    expect(first).toMatchObject({ changes: [{ revision: 3 }, { revision: 2 }] });
    const last = await page({ page_token: next_page_token });
    expect(last).toMatchObject({ changes: [{ revision: 1 }] });
    expect(last).not.toHaveProperty('next_page_token');
  });

  it.each(['promote', 'split', 'rollback'])('cannot %s what is not there', async (call) => {
    const registry = await openRegistry();
    const fields = { name: 'iris', version: '9', shares: { 9: 1 }, revision: 0 };
    expect(
      await registry.call('POST', `${RELEASES}/${call}`, { ...fields, expected_revision: 7 }),
    ).toMatchObject({
      status: 400,
      body: { message: 'Parameter "expected_revision" is 7; the newest revision of "iris" is 0.' },
    });
    expect((await registry.call('POST', `${RELEASES}/${call}`, { ...fields, name: 'nobody' })).status).toBe(
      404,
    );
    expect((await registry.call('POST', `${RELEASES}/${call}`, fields)).status).toBe(400);
    expect(
      (await registry.call('POST', `${RELEASES}/${call}`, { ...fields, why: 'x'.repeat(1001) })).body.message,
    ).toBe('Parameter "why" has 1001 characters; the limit is 1000.');
  });

  it('is of the model at an address, also if the registry knows it by another name', async () => {
    const registry = await openRegistry();
    const { call, ask, url } = registry;
    await ask('POST', 'registered-models/create', { name: 'two words' });
    await ask('POST', 'model-versions/create', { name: 'two words', source: 'models:/iris/1' });
    const listed = await (await fetch(`${url}/models`)).json();
    const served = JSON.stringify(listed).match(/"(two-words-[0-9a-f]+)"/)?.[1] ?? '';
    expect((await call('POST', `${RELEASES}/promote`, { name: served, version: '1' })).status).toBe(200);
    expect(await newest(registry, served)).toMatchObject({ action: 'promote 1' });
    expect(await newest(registry, 'two words')).toMatchObject({ action: 'promote 1' });
  });
});

it('needs another person for a version that somebody has proposed', async () => {
  const registry = await openRegistry();
  const known = { model: 'iris', versions: ['1', '2'] };
  const log = createReleaseLog(openFilesystemStore(registry.folder));
  await log.change('iris', { by: 'admin', why: '', action: 'propose 1' }, (current) =>
    propose(current, known, '1', 'admin', ''),
  );
  const promote = (authorization: string) =>
    fetch(`${registry.url}/api/2.0/${RELEASES}/promote`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({ name: 'iris', version: '1' }),
    });
  const own = await promote(`Bearer ${KEY}`);
  expect(await own.json()).toMatchObject({
    error_code: 'BAD_REQUEST',
    message: 'admin has proposed version 1 of model "iris"; another person has to approve it.',
  });
  const other = await promote(`Basic ${Buffer.from(`ben:${KEY}`).toString('base64')}`);
  expect(other.status).toBe(200);
  expect(await newest(registry)).toMatchObject({ by: 'ben', live: '1' });
  expect((await log.read('iris')).card).not.toHaveProperty('proposal');
});

describe('the routes of releases', () => {
  it('are described where the registry is on, and only there', async () => {
    const paths = async (environment: Readonly<Record<string, string>>) => {
      const { url } = await openRegistry(environment);
      const document: unknown = await (await fetch(`${url}/openapi.json`)).json();
      const described = Object.keys(Object(Object(document).paths));
      return described.filter((path) => /releases|registered-models/.test(path)).sort();
    };
    expect(await paths({})).toEqual([
      '/api/2.0/ternion/registered-models/history',
      '/api/2.0/ternion/registered-models/promote',
      '/api/2.0/ternion/registered-models/rollback',
      '/api/2.0/ternion/registered-models/split',
      '/models/{model}/releases',
    ]);
    expect(await paths({ ADMIN_KEY: '' })).toEqual(['/models/{model}/releases']);
  });
});
