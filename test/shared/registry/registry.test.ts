import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRegistry } from '../../support/open-registry.ts';

const isTime = expect.toSatisfy((value) => Math.abs(Number(value) - Date.now()) < 60_000);
const MODELS = 'registered-models';
const VERSIONS = 'model-versions';

describe('registered models', () => {
  it('are created, read, described, renamed and deleted in the form of MLflow', async () => {
    const { ask, call } = await openRegistry();
    const tags = [{ key: 'team', value: 'a b' }];
    const created = await ask('POST', `${MODELS}/create`, { name: 'é x', tags, description: 'd' });
    expect(created).toEqual({
      registered_model: {
        name: 'é x',
        creation_timestamp: isTime,
        last_updated_timestamp: isTime,
        description: 'd',
        tags,
      },
    });
    expect(await ask('GET', `${MODELS}/get`, { name: 'é x' })).toEqual(created);
    const updated = await ask('PATCH', `${MODELS}/update`, { name: 'é x', description: 'e' });
    expect(updated).toMatchObject({ registered_model: { name: 'é x', description: 'e', tags } });
    const renamed = await ask('POST', `${MODELS}/rename`, { name: 'é x', new_name: 'plain' });
    expect(renamed).toMatchObject({ registered_model: { name: 'plain', description: 'e', tags } });
    expect(await call('GET', `mlflow/${MODELS}/get`, { name: 'é x' })).toMatchObject({
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'There is no registered model "é x".' },
    });
    expect(await ask('DELETE', `${MODELS}/delete`, { name: 'plain' })).toEqual({});
    expect((await call('GET', `mlflow/${MODELS}/get`, { name: 'plain' })).status).toBe(404);
    // The name is free again, and has nothing of what it had.
    const again = await ask('POST', `${MODELS}/create`, { name: 'é x' });
    expect(again.registered_model).toEqual({
      name: 'é x',
      creation_timestamp: isTime,
      last_updated_timestamp: isTime,
    });
  });

  it('are also those that were published without the registry', async () => {
    const { ask, folder } = await openRegistry();
    const version = {
      name: 'iris',
      creation_timestamp: 0,
      last_updated_timestamp: 0,
      current_stage: 'None',
      description: '',
      run_id: '',
      run_link: '',
      status: 'READY',
    };
    expect(await ask('GET', `${MODELS}/get`, { name: 'iris' })).toEqual({
      registered_model: {
        name: 'iris',
        creation_timestamp: 0,
        last_updated_timestamp: 0,
        latest_versions: [{ ...version, version: '2', source: `file://${folder}/iris/2` }],
      },
    });
  });

  it('keep their folder when they are renamed', async () => {
    const { ask, url } = await openRegistry();
    await ask('POST', `${MODELS}/rename`, { name: 'iris', new_name: 'flowers' });
    expect(await ask('GET', `${VERSIONS}/get-download-uri`, { name: 'flowers', version: '1' })).toEqual({
      artifact_uri: expect.stringMatching(/\/iris\/1$/),
    });
    const predict = async (name: string) => {
      const headers = { 'content-type': 'application/json' };
      const body = '{"features":[5.1,3.5,1.4,0.2]}';
      return (await fetch(`${url}/models/${name}/predict`, { method: 'POST', headers, body })).status;
    };
    expect([await predict('flowers'), await predict('iris')]).toEqual([200, 404]);
    // The old name is free for another model, which gets a folder of its own.
    await ask('POST', `${MODELS}/create`, { name: 'iris' });
    await ask('POST', `${VERSIONS}/create`, { name: 'iris', source: 'models:/flowers/2' });
    const uri = await ask('GET', `${VERSIONS}/get-download-uri`, { name: 'iris', version: '1' });
    expect(uri.artifact_uri).toMatch(/\/iris-[0-9a-f]{12}\/1$/);
    expect([await predict('flowers'), await predict('iris')]).toEqual([200, 200]);
    // A change to the one must not hide the other, whose name is that of a folder.
    await ask('POST', `${MODELS}/set-tag`, { name: 'flowers', key: 'team', value: 'a' });
    expect([await predict('flowers'), await predict('iris')]).toEqual([200, 200]);
    const { registered_models: models } = await ask('GET', `${MODELS}/search`);
    expect(models).toMatchObject([{ name: 'flowers' }, { name: 'iris' }]);
  });

  it('have one name each, also when clients create at once', async () => {
    const { call } = await openRegistry();
    const create = () => call('POST', `mlflow/${MODELS}/create`, { name: 'one' });
    const answers = await Promise.all([create(), create(), create(), create()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    expect(answers.find(({ status }) => status === 400)?.body).toMatchObject({
      error_code: 'RESOURCE_ALREADY_EXISTS',
      message: 'There is a registered model "one" already.',
    });
    expect(await call('POST', `mlflow/${MODELS}/rename`, { name: 'iris', new_name: 'one' })).toMatchObject({
      status: 400,
      body: { error_code: 'RESOURCE_ALREADY_EXISTS' },
    });
  });

  it.each([
    ['create', { name: '' }, 'Parameter "name" is missing or empty.'],
    ['create', {}, 'Parameter "name" is missing or empty.'],
    ['create', { name: 1 }, 'Parameter "name" has the number 1; expected a text.'],
    ['create', { name: 'a/b' }, /^Parameter "name" is "a\/b"; expected a name that is not blank/],
    ['create', { name: '..' }, /^Parameter "name" is ".."; expected/],
    ['create', { name: 'x'.repeat(257) }, 'Parameter "name" has 257 characters; the limit is 256.'],
    ['create', { name: 'a', tags: [{ key: '__proto__', value: '' }] }, /^Parameter "key" is "__proto__"/],
    ['create', { name: 'a', tags: [{ key: 'k', value: 'x'.repeat(100_001) }] }, /the limit is 100000\.$/],
    ['create', { name: 'a', tags: [7] }, /^Parameter "tags" has the number 7; expected objects/],
    ['create', { name: 'a', description: 'x'.repeat(5001) }, /^Parameter "description" has 5001/],
    ['set-tag', { name: 'iris', key: 'x'.repeat(251), value: '' }, /the limit is 250\.$/],
    ['set-tag', { name: 'iris', key: 'a\u0000', value: '' }, /^Parameter "key" is "a\\u0000"; expected/],
    ['alias', { name: 'iris', alias: 'a b', version: '1' }, /^Parameter "alias" is "a b"; expected letters/],
    ['alias', { name: 'iris', alias: 'latest', version: '1' }, /cannot be mistaken for a version\.$/],
    ['alias', { name: 'iris', alias: 'v3', version: '1' }, /cannot be mistaken for a version\.$/],
  ])('refuse %s with %j', async (route, fields, message) => {
    const { call, ask } = await openRegistry();
    const { status, body } = await call('POST', `mlflow/${MODELS}/${route}`, fields);
    expect([status, body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(body.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(await ask('GET', `${MODELS}/search`)).toMatchObject({ registered_models: [{ name: 'iris' }] });
  });

  it('can have the names of members that every object has', async () => {
    const { ask, call } = await openRegistry();
    for (const name of ['__proto__', 'constructor', 'releases', 'x'.repeat(256)]) {
      await ask('POST', `${MODELS}/create`, { name, tags: [{ key: 'constructor', value: 'c' }] });
      expect(await ask('GET', `${MODELS}/get`, { name })).toMatchObject({
        registered_model: { name, tags: [{ key: 'constructor', value: 'c' }] },
      });
    }
    expect(
      await call('GET', `mlflow/${MODELS}/alias`, { name: 'constructor', alias: 'toString' }),
    ).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
    expect((await call('GET', `mlflow/${VERSIONS}/get`, { name: 'iris', version: 'toString' })).status).toBe(
      404,
    );
  });

  it('are refused when all that is known about one has more than a megabyte', async () => {
    const { call } = await openRegistry({ MAX_BODY_BYTES: '3000000' });
    const tags = Array.from({ length: 11 }, (_, index) => ({ key: `k${index}`, value: 'x'.repeat(100_000) }));
    expect(await call('POST', `mlflow/${MODELS}/create`, { name: 'big', tags })).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^The descriptions and tags of a model would have 11\d+ /) },
    });
  });
});

describe('tags and aliases', () => {
  it('are set, read and deleted', async () => {
    const { ask, call } = await openRegistry();
    await ask('POST', `${MODELS}/set-tag`, { name: 'iris', key: 'a.b/c', value: '1' });
    await ask('POST', `${VERSIONS}/set-tag`, { name: 'iris', version: '1', key: 'k', value: '' });
    await ask('POST', `${MODELS}/alias`, { name: 'iris', alias: 'champion', version: '1' });
    expect(await ask('GET', `${MODELS}/alias`, { name: 'iris', alias: 'champion' })).toMatchObject({
      model_version: { version: '1', aliases: ['champion'], tags: [{ key: 'k', value: '' }] },
    });
    expect(await ask('GET', `${MODELS}/alias`, { name: 'iris', alias: 'latest' })).toMatchObject({
      model_version: { version: '2' },
    });
    expect(await ask('GET', `${MODELS}/get`, { name: 'iris' })).toMatchObject({
      registered_model: {
        aliases: [{ alias: 'champion', version: '1' }],
        tags: [{ key: 'a.b/c', value: '1' }],
      },
    });
    // The body of a DELETE is read as such.
    await ask('DELETE', `${MODELS}/delete-tag`, { name: 'iris', key: 'a.b/c' });
    await ask('DELETE', `${VERSIONS}/delete-tag`, { name: 'iris', version: '1', key: 'k' });
    await ask('DELETE', `${MODELS}/alias`, { name: 'iris', alias: 'champion' });
    const { registered_model: model } = await ask('GET', `${MODELS}/get`, { name: 'iris' });
    expect(model).not.toHaveProperty('tags');
    expect(model).not.toHaveProperty('aliases');
    // As MLflow answers.
    expect(await call('GET', `mlflow/${MODELS}/alias`, { name: 'iris', alias: 'champion' })).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
    expect(await ask('DELETE', `${MODELS}/alias`, { name: 'iris', alias: 'champion' })).toEqual({});
  });

  it('keep the live version live from the first alias on', async () => {
    const { ask, call } = await openRegistry();
    await ask('POST', `${MODELS}/alias`, { name: 'iris', alias: 'champion', version: '1' });
    await ask('POST', `${VERSIONS}/create`, { name: 'iris', source: 'models:/iris@champion' });
    const { body } = await call('GET', 'ternion/registered-models/history', { name: 'iris' });
    expect(body.changes).toMatchObject([
      { revision: 2, action: 'register', by: 'admin', live: '2', aliases: { champion: '1' } },
      { revision: 1, action: 'alias champion 1', by: 'admin', live: '2', timestamp: isTime },
    ]);
  });
});

describe('versions', () => {
  it('are registered by copies of other versions, with the next number', async () => {
    const { ask, folder, url } = await openRegistry();
    await ask('POST', `${MODELS}/create`, { name: 'copies' });
    const create = () =>
      ask('POST', `${VERSIONS}/create`, {
        name: 'copies',
        source: 'models:/iris/1',
        run_id: 'r1',
        run_link: '',
        tags: [{ key: 'k', value: 'v' }],
        description: 'a copy',
      });
    const versions = (await Promise.all([create(), create(), create()])).map(
      ({ model_version }) => model_version,
    );
    expect(versions).toContainEqual({
      name: 'copies',
      version: '2',
      creation_timestamp: isTime,
      last_updated_timestamp: isTime,
      current_stage: 'None',
      description: 'a copy',
      source: 'models:/iris/1',
      run_id: 'r1',
      run_link: '',
      status: 'READY',
      tags: [{ key: 'k', value: 'v' }],
    });
    expect(readdirSync(join(folder, 'copies')).sort()).toEqual(['1', '2', '3', 'deployment.json']);
    const files = readdirSync(join(folder, 'copies/3')).filter((name) => !name.startsWith('.'));
    expect(files.sort()).toEqual(['files.json', 'model.json', 'model.onnx', 'reference.json']);
    const graph = readFileSync(join(folder, 'copies/3/model.onnx'));
    expect(graph.equals(readFileSync(join(folder, 'iris/1/model.onnx')))).toBe(true);
    // This server knows it at once.
    const predicted = await fetch(`${url}/models/copies/versions/3/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"features":[5.1,3.5,1.4,0.2]}',
    });
    expect(predicted.status).toBe(200);
  });

  it.each([
    ['models:/iris/9', 'Registered model "iris" has no version for the source "models:/iris/9".'],
    ['models:/nobody/1', 'There is no registered model "nobody".'],
    ['models:/iris@nobody', /has no version for the source/],
    ['models:/m-0123456789abcdef0123456789abcdef', /^The source names a model of another server/],
    ['runs:/abc/model', /^The source is not a URL that can be read: expected models:/],
    ['s3://bucket/model', /^The source is neither in the model repository of this server/],
    ['file:///etc', /^The source is neither/],
    ['/etc/passwd', /^The source is not a URL/],
    ['FOLDER/../x', /^The source is not a URL/],
    ['FOLDER/iris/%2e%2e/%2E%2e/etc', /^The source is not a URL/],
    ['FOLDER/iris/%252e%252e', /^The source is not a URL/],
    ['FOLDER', /^The source is neither/],
    ['FOLDER/iris/7', 'There are no files at the source.'],
    ['FOLDER/other/1', /^The source has no ONNX model that can be served: it has none of the files \*\.onnx/],
    ['s3://allowed/../bucket/model', /^The source is not a URL/],
    ['s3://allowed@bucket/model', /^The source is not a URL/],
    ['s3://allowed2/model', /^The source is neither/],
    ['s3://allowed/model', 'The source cannot be read by this host.'],
    ['https://user:password@mlflow.example.com/x', /^The source is not a URL/],
    ['https://mlflow.example.com.evil.example/x', /^The source is neither/],
  ])('say why they could not be registered from %s', async (source, message) => {
    const { ask, call, folder } = await openRegistry({
      REGISTRY_SOURCES: 's3://allowed/, https://mlflow.example.com',
    });
    mkdirSync(join(folder, 'other/1'), { recursive: true });
    writeFileSync(join(folder, 'other/1/model.pkl'), 'x');
    const given = source.replace('FOLDER', `file://${folder}`);
    const { model_version: version } = await ask('POST', `${VERSIONS}/create`, {
      name: 'iris',
      source: given,
    });
    expect(version).toMatchObject({
      version: '3',
      source: given,
      status: 'FAILED_REGISTRATION',
      status_message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(await ask('GET', `${VERSIONS}/get`, { name: 'iris', version: '3' })).toEqual({
      model_version: version,
    });
    expect(
      await call('POST', `mlflow/${MODELS}/alias`, { name: 'iris', alias: 'a', version: '3' }),
    ).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^Version 3 of "iris" has no files: /) },
    });
    // Its number is not given again.
    await ask('DELETE', `${VERSIONS}/delete`, { name: 'iris', version: '3' });
    expect(await ask('POST', `${VERSIONS}/create`, { name: 'iris', source: 'models:/iris/1' })).toMatchObject(
      {
        model_version: { version: '4', status: 'READY' },
      },
    );
  });

  it('are copied in the time that a short request has', async () => {
    const { ask } = await openRegistry({ MAX_REQUEST_SECONDS: '60' });
    expect(await ask('POST', `${VERSIONS}/create`, { name: 'iris', source: 'models:/iris/1' })).toMatchObject(
      { model_version: { version: '3', status: 'READY' } },
    );
  });

  describe('beside folders of an interrupted publishing', () => {
    async function openHalfThere(numbers: readonly number[]) {
      const opened = await openRegistry();
      for (const number of numbers) {
        mkdirSync(join(opened.folder, `iris/${number}`));
        writeFileSync(join(opened.folder, `iris/${number}/files.json`), '{"files":[]}');
      }
      const created = await opened.ask('POST', `${VERSIONS}/create`, {
        name: 'iris',
        source: 'models:/iris/1',
      });
      const { body } = await opened.call('GET', 'ternion/registered-models/history', { name: 'iris' });
      return { created, changes: body.changes };
    }

    it('have the next number that is free', async () => {
      const { created, changes } = await openHalfThere([3, 4]);
      expect(created).toMatchObject({ model_version: { version: '5', status: 'READY' } });
      const actions = ['register', 'unregister 4', 'register', 'unregister 3', 'register'];
      expect(changes).toMatchObject(actions.map((action) => ({ action })));
    });

    it('fail with a reason when twenty numbers are not free', async () => {
      const { created } = await openHalfThere(Array.from({ length: 20 }, (_, index) => 3 + index));
      expect(created).toMatchObject({
        model_version: {
          version: '22',
          status: 'FAILED_REGISTRATION',
          status_message: expect.stringMatching(/^The folders of this version and of the 19 tried before it/),
        },
      });
    });
  });

  it('are copied from folders of the own repository that are not registered versions', async () => {
    const { ask, folder } = await openRegistry();
    const { cpSync } = await import('node:fs');
    cpSync(join(folder, 'iris/1'), join(folder, 'staging/of/a/model'), { recursive: true });
    expect(
      await ask('POST', `${VERSIONS}/create`, {
        name: 'iris',
        source: `file://${folder}/staging/of/a/model/`,
      }),
    ).toMatchObject({ model_version: { version: '3', status: 'READY' } });
  });

  it('are described, and deleted only if nothing uses them', async () => {
    const { ask, call } = await openRegistry();
    await ask('PATCH', `${VERSIONS}/update`, { name: 'iris', version: '1', description: 'first' });
    expect(await ask('GET', `${VERSIONS}/get`, { name: 'iris', version: '1' })).toMatchObject({
      model_version: { description: 'first', last_updated_timestamp: isTime },
    });
    await ask('POST', `${MODELS}/alias`, { name: 'iris', alias: 'champion', version: '1' });
    const remove = (version: string) =>
      call('DELETE', `mlflow/${VERSIONS}/delete`, { name: 'iris', version });
    expect(await remove('1')).toMatchObject({
      status: 400,
      body: {
        error_code: 'BAD_REQUEST',
        message:
          'Version 1 of model "iris" has the alias champion; it cannot be archived or deleted. Release another version first, with the stage Production or "ternion promote", and move its aliases.',
      },
    });
    expect(await remove('2')).toMatchObject({
      status: 400,
      body: {
        message: expect.stringMatching(
          /^Version 2 of model "iris" is live; it cannot be archived or deleted\. Release/,
        ),
      },
    });
    await ask('DELETE', `${MODELS}/alias`, { name: 'iris', alias: 'champion' });
    expect((await remove('1')).status).toBe(200);
    expect((await remove('1')).status).toBe(404);
    expect((await call('DELETE', `mlflow/${MODELS}/delete`, { name: 'iris' })).body).toMatchObject({
      error_code: 'BAD_REQUEST',
      message: expect.stringMatching(
        /^Registered model "iris" cannot be deleted: its version 2 is live\. To take/,
      ),
    });
    // To archive the last one is how an operator says that the model is not needed any more.
    const archive = { name: 'iris', version: '2', stage: 'Archived', archive_existing_versions: false };
    expect(await ask('POST', `${VERSIONS}/transition-stage`, archive)).toMatchObject({
      model_version: { current_stage: 'Archived' },
    });
    await ask('DELETE', `${MODELS}/delete`, { name: 'iris' });
    expect(await ask('GET', `${MODELS}/search`)).toEqual({});
    // It comes back with its versions.
    const back = await call('POST', 'ternion/registered-models/rollback', { name: 'iris' });
    expect(back.body).toMatchObject({
      registered_model: { name: 'iris', latest_versions: [{ version: '2' }] },
    });
  });
});

describe('stages', () => {
  it('release a version, and archive those before it', async () => {
    const { ask, call } = await openRegistry();
    const move = (version: string, stage: string, archives = false) =>
      call('POST', `mlflow/${VERSIONS}/transition-stage`, {
        name: 'iris',
        version,
        stage,
        archive_existing_versions: archives,
      });
    const live = async () => {
      const { body } = await call('GET', 'ternion/registered-models/history', { name: 'iris' });
      const [first] = Array.isArray(body.changes) ? body.changes : [];
      return [first?.live, first?.archived];
    };
    expect((await move('1', 'production')).body).toMatchObject({
      model_version: { current_stage: 'Production' },
    });
    expect(await live()).toEqual(['1', []]);
    expect((await move('2', 'Production', true)).status).toBe(200);
    expect(await live()).toEqual(['2', ['1']]);
    expect(
      await ask('POST', `${MODELS}/get-latest-versions`, { name: 'iris', stages: ['Production'] }),
    ).toMatchObject({
      model_versions: [{ version: '2', current_stage: 'Production' }],
    });
    expect(await ask('GET', `${MODELS}/get-latest-versions`, { name: 'iris' })).toMatchObject({
      model_versions: [{ version: '1', current_stage: 'Archived' }, { version: '2' }],
    });
    expect(await ask('GET', `${MODELS}/get-latest-versions`, { name: 'iris', stages: 'Staging' })).toEqual(
      {},
    );
    expect((await move('1', 'nope')).body).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
    expect((await move('1', 'Archived', true)).body).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
    expect(
      await call('POST', `mlflow/${MODELS}/alias`, { name: 'iris', alias: 'a', version: '1' }),
    ).toMatchObject({
      status: 400,
      body: {
        message: expect.stringMatching(
          /^Version 1 of model "iris" is archived; "ternion archive iris 1 --undo"/,
        ),
      },
    });
    await move('1', 'None');
    expect(await live()).toEqual(['2', []]);
    await ask('POST', `${VERSIONS}/create`, { name: 'iris', source: 'models:/iris/Production' });
    expect((await move('2', 'Archived')).body).toMatchObject({
      error_code: 'BAD_REQUEST',
      message: expect.stringMatching(
        /^Version 2 of model "iris" is live; it cannot be archived or deleted\. Release/,
      ),
    });
  });
});

describe('history', () => {
  it('has every change, who made it, and leads back', async () => {
    const { ask, call, url } = await openRegistry();
    const basic = (user: string) => `Basic ${Buffer.from(`${user}:the admin key`).toString('base64')}`;
    const alias = (user: string, version: string) =>
      fetch(`${url}/api/2.0/mlflow/registered-models/alias`, {
        method: 'POST',
        headers: { authorization: basic(user) },
        body: JSON.stringify({ name: 'iris', alias: 'champion', version }),
      });
    expect((await alias('anna', '1')).status).toBe(200);
    expect((await alias('ben', '2')).status).toBe(200);
    await ask('POST', `${VERSIONS}/create`, { name: 'iris', source: 'models:/iris/1' });
    const back = await call('POST', 'ternion/registered-models/rollback', { name: 'iris', revision: 1 });
    expect(back.body).toMatchObject({ registered_model: { aliases: [{ alias: 'champion', version: '1' }] } });
    const { body } = await call('GET', 'ternion/registered-models/history', { name: 'iris' });
    expect(body.changes).toMatchObject([
      { revision: 4, action: 'rollback 1', by: 'admin' },
      { revision: 3, action: 'register' },
      { revision: 2, action: 'alias champion 2', by: 'ben' },
      { revision: 1, action: 'alias champion 1', by: 'anna' },
    ]);
    // What was registered since then is still there.
    expect(await ask('GET', `${VERSIONS}/get`, { name: 'iris', version: '3' })).toMatchObject({
      model_version: { source: 'models:/iris/1' },
    });
    const page = await call('GET', 'ternion/registered-models/history', { name: 'iris', max_results: 3 });
    expect(page.body.changes).toHaveLength(3);
    const rest = { name: 'iris', max_results: 3, page_token: page.body.next_page_token };
    expect((await call('GET', 'ternion/registered-models/history', rest)).body).toMatchObject({
      changes: [{ revision: 1 }],
    });
    expect(
      await call('POST', 'ternion/registered-models/rollback', { name: 'iris', revision: 9 }),
    ).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
  });
});
