import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../shared/config.ts';
import { InferenceError } from '../../../shared/errors.ts';
import type { Inference } from '../../../shared/inference/inference.ts';
import type { ModelListing } from '../../../shared/models/model-reference.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { createModelReader } from '../../../shared/openapi/describe-models.ts';
import { createDocumentSource } from '../../../shared/openapi/document-source.ts';
import type { ProtocolOptions } from '../../../shared/protocols/operation.ts';
import { loadProtocols } from '../../../shared/protocols/operation.ts';
import { createProtocols } from '../../../shared/protocols/protocols.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { makeInference } from '../../support/make-inference.ts';
import { NO_PAGES } from '../../support/no-pages.ts';
import { MODELS } from '../../support/project.ts';
import { SILENT_MONITORING } from '../../support/silent-monitoring.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const BOTH: ModelListing[] = [
  { name: 'digits', versions: ['1'], liveVersion: '1' },
  { name: 'iris', versions: ['1', '2'], liveVersion: '2' },
];

/** Inference that records which models it was asked to describe, over a listing that can be changed. */
function spyOn(inference: Inference, list: () => Promise<readonly ModelListing[]>) {
  const described: string[] = [];
  const spied: Inference = {
    ...inference,
    repository: { ...inference.repository, list },
    use: async (choice, context, work) => {
      const used = await inference.use(choice, context, work);
      described.push(`${used.usage.reference.name}/${used.usage.reference.version}`);
      return used;
    },
  };
  return { inference: spied, described };
}

async function openSource(inference: Inference) {
  const logger = createLogger('silent', () => undefined);
  const options: ProtocolOptions = {
    inference,
    config: parseConfig({}),
    version: '0',
    logger,
    monitoring: SILENT_MONITORING,
    pages: NO_PAGES,
  };
  const source = createDocumentSource(options, await loadProtocols(createProtocols(options)));
  return async () => await source.read();
}

/** Has models loaded, as requests to them do. */
async function load(inference: Inference, ...names: readonly string[]): Promise<void> {
  for (const each of names) {
    const [name = '', version = ''] = each.split('/');
    await inference.use({ reference: { name, version } }, {}, () => undefined);
  }
}

const pathsOf = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()).paths;

describe('the document', () => {
  it('is written once for what is served, and again when that changes', async () => {
    let listing = BOTH;
    const { inference, described } = spyOn(makeInference(MODELS).inference, () => Promise.resolve(listing));
    await load(inference, 'digits/1', 'iris/2', 'iris/1');
    const loaded = described.splice(0).length;
    expect(loaded).toBe(3);
    const read = await openSource(inference);
    const first = await read();
    expect(await read()).toBe(first);
    expect(described).toEqual(['digits/1', 'iris/2']);

    listing = BOTH.map((model) => ({ ...model, liveVersion: '1' }));
    const second = await read();
    expect(described).toEqual(['digits/1', 'iris/2', 'iris/1']);
    expect(pathsOf(second)['/models/iris/predict'].post.description).toContain('The live version is 1.');
    listing = BOTH.slice(0, 1);
    expect(pathsOf(await read())).not.toHaveProperty(['/models/iris/predict']);
  });

  it('says why a model cannot be described, and describes it when it can be', async () => {
    const folder = await makeFolder({});
    await cp(MODELS, folder, { recursive: true });
    const broken = join(folder, 'iris/2/model.json');
    await writeFile(broken, '{}');
    const { inference } = spyOn(makeInference(folder).inference, () => Promise.resolve(BOTH));
    const read = await openSource(inference);
    await expect(load(inference, 'iris/2')).rejects.toThrow('its model.json is not valid');
    await load(inference, 'digits/1');
    const { post } = pathsOf(await read())['/models/iris/predict'];
    expect(post.description).toBe(
      'The model could not be loaded; a request to it says why. The live version is 2.',
    );
    expect(post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/PredictRequest',
    });
    expect(pathsOf(await read())['/models/digits/predict'].post.description).toMatch(/^Small convolutional/);

    await cp(join(MODELS, 'iris/2/model.json'), broken);
    // As if the pause after the failure was over.
    await inference.unload('iris', '2');
    await inference.load({ reference: { name: 'iris', version: '2' } }, {});
    expect(pathsOf(await read())['/models/iris/predict'].post.description).toMatch(/^Small neural network/);
    await rm(folder, { recursive: true });
  });

  it('is there without models while the repository cannot be read', async () => {
    let fails = true;
    const { inference } = spyOn(makeInference(MODELS).inference, () =>
      fails ? Promise.reject(new StoreError('denied', 'no')) : Promise.resolve(BOTH),
    );
    const read = await openSource(inference);
    const paths = pathsOf(await read());
    expect(paths).toHaveProperty(['/models/{model}/predict']);
    expect(paths).not.toHaveProperty(['/models/iris/predict']);
    fails = false;
    expect(pathsOf(await read())).toHaveProperty(['/models/iris/predict']);
  });
});

describe('the reader of models', () => {
  it('loads no model, and remembers those that were', async () => {
    const { inference, described } = spyOn(makeInference(MODELS).inference, () => Promise.resolve(BOTH));
    const read = createModelReader(inference);
    const problem = expect.stringMatching(/^The model is not loaded; .* after GET \/models\/\{model\}\.$/);
    expect(await read(BOTH)).toEqual([
      { reference: { name: 'digits', version: '1' }, problem },
      { reference: { name: 'iris', version: '2' }, problem },
    ]);
    expect([described, inference.state({ name: 'iris', version: '2' })]).toEqual([[], undefined]);

    await load(inference, 'iris/2');
    expect(await read(BOTH)).toMatchObject([{ problem }, { facts: { kind: 'features' } }]);
    await inference.unload('iris', '2');
    expect(await read(BOTH)).toMatchObject([{ problem }, { facts: { kind: 'features' } }]);
    expect(inference.state({ name: 'iris', version: '2' })).toBe('unloaded');
  });

  it('describes the model that has the name now', async () => {
    const models = await makeFolder({});
    await cp(join(MODELS, 'iris/1'), join(models, 'iris/1'), { recursive: true });
    await cp(join(MODELS, 'digits/1'), join(models, 'other/1'), { recursive: true });
    const { inference } = makeInference(models);
    const { repository } = inference;
    const log = createReleaseLog(openFilesystemStore(models));
    const rename = async (folder: string, name: string) => {
      const signed = { by: 'ada', why: '', action: 'rename' };
      await log.change(folder, signed, ({ serving }) => ({ serving: { ...serving, name } }));
      await repository.renew();
    };
    const read = createModelReader(inference);
    await repository.renew();
    await load(inference, 'iris/1', 'other/1');
    const described = async () =>
      (await read(await repository.list())).map(({ facts }) => [facts?.reference.name, facts?.kind]);
    expect(await described()).toEqual([
      ['iris', 'features'],
      ['other', 'image'],
    ]);
    await rename('iris', 'flowers');
    await rename('other', 'iris');
    expect(await described()).toEqual([
      ['flowers', 'features'],
      ['iris', 'image'],
    ]);
  });

  it('reveals no errors that are not written for clients', async () => {
    const { inference } = makeInference(MODELS);
    await load(inference, 'digits/1');
    const refuse = (error: Error) =>
      createModelReader({ ...inference, use: () => Promise.reject(error) })(BOTH.slice(0, 1));
    expect(await refuse(new Error('/home/secret'))).toMatchObject([
      { problem: 'The model cannot be described; the log says why.' },
    ]);
    expect(await refuse(new InferenceError('MODEL_UNAVAILABLE', 'not now'))).toMatchObject([
      { problem: 'not now' },
    ]);
  });
});
