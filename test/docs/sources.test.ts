import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseLineage } from '../../shared/models/lineage.ts';
import { readBlocks, readSteps } from '../support/documented-commands.ts';
import { startHubServer } from '../support/hf-server.ts';
import { startMlflowServer } from '../support/mlflow-server.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand, temporaryFolder } from '../support/run-command.ts';
import { readFolder } from '../support/store-faults.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/sources.md'), 'utf8');
const FORMATS = join(PROJECT, 'test/fixtures/formats');

/** The files of an export, without the answers that it is tested by. */
function readExport(name: string): Record<string, Buffer> {
  const { 'golden.json': _, ...files } = readFolder(join(FORMATS, name));
  return files;
}

describe('docs/sources.md', () => {
  it('has commands that print what it says, on servers with small models of these names', async () => {
    const steps = readSteps(PAGE);
    const folder = await temporaryFolder();
    const { 'onnx/model.onnx': graph = '', ...others } = readExport('optimum/sentence-mean');
    const hub = await startHubServer({
      repo: 'Xenova/all-MiniLM-L6-v2',
      files: { ...others, 'onnx/model_quantized.onnx': graph, 'onnx/model.onnx': graph },
    });
    onTestFinished(() => hub.close());
    const mlflow = await startMlflowServer({
      name: 'flowers',
      files: readExport('mlflow/columns'),
    });
    onTestFinished(() => mlflow.close());
    const environment = {
      HF_ENDPOINT: hub.url,
      MLFLOW_TRACKING_URI: mlflow.url,
      MODEL_CACHE_FOLDER: join(folder, 'cache'),
    };
    expect(steps).toHaveLength(2);
    for (const { command, answer = '' } of steps) {
      const [, args = ''] = /^npx ternion (.*)$/.exec(command) ?? [];
      const { stdout, stderr } = await startCommand(args.split(' '), '', environment, folder).outcome;
      const shown = stdout
        .replaceAll(`${folder}/`, '')
        .trim()
        .split('\n')
        .slice(0, answer.split('\n').length);
      expect(shown.join('\n'), stderr).toBe(answer);
    }
    const [example = ''] = readBlocks(PAGE, 'json');
    const place = join(folder, 'my-models/all-MiniLM-L6-v2/1/lineage.json');
    expect(await parseLineage(await readFile(place, 'utf8'))).toEqual(await parseLineage(example));
  });
});
