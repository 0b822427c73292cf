import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.ts';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');

describe('the installation of the project', () => {
  // Its script would download a build for CUDA on linux/x64. npm 11 reads allowScripts, npm 10 only the lockfile. A
  // setting in .npmrc that only the script knows would make npm 11 warn at every command.
  it('does not let onnxruntime-node run its script', () => {
    const { packages } = JSON.parse(read('package-lock.json'));
    expect(packages['node_modules/onnxruntime-node']).toMatchObject({ version: expect.any(String) });
    expect(packages['node_modules/onnxruntime-node']).not.toHaveProperty('hasInstallScript');
    expect(JSON.parse(read('package.json')).allowScripts['onnxruntime-node']).toBe(false);
  });

  it('has only settings that npm knows', () => {
    const names = [...read('.npmrc').matchAll(/^([\w-]+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(['omit-lockfile-registry-resolved']);
  });
});
