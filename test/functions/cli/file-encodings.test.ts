import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFormatFile } from '../../support/format-folders.ts';
import { runCommand, temporaryFolder } from '../../support/run-command.ts';

const GRAPH = readFormatFile('tabular/xgboost/model.onnx');
const SERVICE = 'kind: InferenceService\nmetadata: {name: flowers}\n';

/** Files of a model, with what `inspect` finds in them if they can be read. */
const FILES: readonly (readonly [path: string, text: string, found: object])[] = [
  ['1/model.json', '{"task": "tensor"}', { task: 'tensor' }],
  ['1/labels.txt', 'a\nb\nc\n', { model_json: { labels: ['a', 'b', 'c'] } }],
  ['1/model-settings.json', '{"implementation": "mlserver_sklearn.SKLearnModel"}', { format: 'mlserver' }],
  ['1/MLmodel', 'flavors: {onnx: {data: model.onnx}}', { format: 'mlflow' }],
  ['1/service.yaml', SERVICE, { format: 'kserve' }],
  ['config.pbtxt', 'max_batch_size: 8', { format: 'triton' }],
];

async function inspect(path: string, content: Buffer) {
  const folder = join(await temporaryFolder(), 'flowers');
  await mkdir(join(folder, '1'), { recursive: true });
  await writeFile(join(folder, '1/model.onnx'), GRAPH);
  await writeFile(join(folder, path), content);
  const { stdout, stderr } = await runCommand(['inspect', join(folder, dirname(path)), '--json']);
  return { stderr, found: stdout === '' ? undefined : JSON.parse(stdout) };
}

const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16();

describe('a file of a model', () => {
  it.each(FILES)('is read in UTF-8 with a byte order mark: %s', async (path, text, found) => {
    const answer = await inspect(path, Buffer.from(`\ufeff${text}`));
    expect(answer).toMatchObject({ stderr: '', found });
  });

  it.each(
    FILES.flatMap(([path, text]) => [
      ['UTF-16', path, Buffer.from(`\ufeff${text}`, 'utf16le')] as const,
      ['UTF-16 without a byte order mark', path, Buffer.from(text, 'utf16le')] as const,
      ['UTF-16 with the high byte first', path, swapped(`\ufeff${text}`)] as const,
    ]),
  )('is refused in %s: %s', async (_, path, content) => {
    const { stderr, found } = await inspect(path, content);
    expect(`${stderr}${JSON.stringify(found)}`).toContain(
      `its ${path.replace('1/', '')} is not UTF-8; save it as UTF-8`,
    );
  });

  it('is refused in Latin-1 unless only comments can have such bytes', async () => {
    const labels = await inspect('1/labels.txt', Buffer.from('a\nb\n\xfc\n', 'latin1'));
    expect(JSON.stringify(labels.found)).toContain('its labels.txt is not UTF-8; save it as UTF-8');
    const policy = await inspect('config.pbtxt', Buffer.from('max_batch_size: 8 # \xfc', 'latin1'));
    expect(policy.found).toMatchObject({ format: 'triton' });
  });

  it('can have any encoding if it says nothing', async () => {
    const answer = await inspect('1/conda.yaml', Buffer.from('name: x', 'utf16le'));
    expect(answer).toMatchObject({ stderr: '', found: { format: 'onnx' } });
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeff{"cases": []}', 'utf16le')],
    ['Latin-1', Buffer.from('{"cases": [{"request": {}, "expected": {"prediction": "\xfc"}}]}', 'latin1')],
  ])('is refused in %s: reference.json', async (_, content) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model.onnx'), GRAPH);
    await writeFile(join(folder, 'reference.json'), content);
    const { stderr } = await runCommand(['add', folder, '-n', 'flowers', '-r', join(folder, 'repository')]);
    expect(stderr).toContain('its reference.json is not UTF-8; save it as UTF-8');
  });
});
