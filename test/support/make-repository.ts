import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

interface ModelFiles {
  readonly onnx: Uint8Array;
  /** The content of `model.json`; undefined for no such file. */
  readonly config?: unknown;
}

/** A folder of models made of bytes, `<name>/1` each, which is there until the test is over. */
export async function makeRepository(models: Readonly<Record<string, ModelFiles>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-models-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, { onnx, config }] of Object.entries(models)) {
    await mkdir(join(folder, name, '1'), { recursive: true });
    await writeFile(join(folder, name, '1/model.onnx'), onnx);
    if (config !== undefined) await writeFile(join(folder, name, '1/model.json'), JSON.stringify(config));
  }
  return folder;
}
