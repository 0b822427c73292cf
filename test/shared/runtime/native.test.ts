import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/** The version with which shared/runtime/native.ts was written. */
const WRITTEN_FOR = '1.30.0';

const require = createRequire(import.meta.url);

describe('the addon of onnxruntime-node', () => {
  it('is the one that was looked at: read its backend.js again before you change this version', () => {
    expect(require('onnxruntime-node/package.json').version).toBe(WRITTEN_FOR);
  });

  it('is called by its package as it is here, with a turn of the event loop before each run', async () => {
    const backend = await readFile(require.resolve('onnxruntime-node/dist/backend.js'), 'utf8');
    expect(backend).toMatch(
      /setImmediate\(\(\) => \{\s+try \{\s+resolve\(.*\.run\(feeds, fetches, options\)\)/,
    );
    expect(backend).toMatch(/\.loadModel\(pathOrBuffer, options\)/);
    expect(backend).toMatch(
      /\.loadModel\(pathOrBuffer\.buffer, pathOrBuffer\.byteOffset, pathOrBuffer\.byteLength, options\)/,
    );
  });

  it('gives what the sessions of its package give, for each datatype', async () => {
    const folder = await makeFolder({});
    const script = join(import.meta.dirname, 'native-and-package.ts');
    const run = (by: string) => promisify(execFile)(process.execPath, [script, by, folder], { cwd: PROJECT });
    const [native, ofPackage] = await Promise.all([run('native'), run('package')]);
    expect(native.stdout.trim().split('\n')).toHaveLength(12);
    expect(native.stdout).toContain(
      "FP32 { type: 'float32', shape: [ 2, 3 ], data: Float32Array(6) [ 0, 1, 1, 0, 1, 1 ] }",
    );
    expect(native.stdout).toBe(ofPackage.stdout);
  });
});
