import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openPagesFolder } from '../../../shared/pages/folder.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

describe('a folder of pages', () => {
  it('gives the bytes of its files', async () => {
    const folder = await makeFolder({ 'a.html': 'page', 'b-1_2.min.js': new Uint8Array([1, 2]) });
    const pages = openPagesFolder(folder);
    expect(Buffer.from((await pages.read('a.html')) ?? []).toString()).toBe('page');
    expect([...((await pages.read('b-1_2.min.js')) ?? [])]).toEqual([1, 2]);
  });

  it('has only its own files', async () => {
    const folder = await makeFolder({ 'pages/a.html': 'page', 'secret.txt': 'x', 'pages/.hidden': 'x' });
    await mkdir(join(folder, 'pages/inner'));
    const pages = openPagesFolder(join(folder, 'pages'));
    for (const name of [
      '',
      'b.html',
      '.',
      '..',
      '../secret.txt',
      '.hidden',
      'inner/x',
      '..\\secret.txt',
      'a.html\0',
    ]) {
      expect(await pages.read(name), name).toBeUndefined();
    }
  });

  it('has nothing when it is not there itself', async () => {
    expect(await openPagesFolder('/nowhere').read('a.html')).toBeUndefined();
  });
});
