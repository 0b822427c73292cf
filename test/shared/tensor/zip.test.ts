import { unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { writeZip } from '../../../shared/tensor/zip.ts';
import { readEntries } from '../../../shared/tensor/zip-directory.ts';

it('writes archives that another reader unpacks, always with the same bytes', () => {
  const files = new Map([
    ['scores.npy', Buffer.from('0123456789')],
    ['größe/é.npy', Buffer.alloc(70_000, 'x')],
    ['empty', Buffer.alloc(0)],
  ]);
  const archive = writeZip(files);
  const unpacked = Object.entries(unzipSync(archive)).map(([name, content]) => [name, Buffer.from(content)]);
  expect(unpacked).toEqual([...files]);
  expect(readEntries(archive).map(({ name, method, size }) => [name, method, size])).toEqual([
    ['scores.npy', 0, 10],
    ['größe/é.npy', 0, 70_000],
    ['empty', 0, 0],
  ]);
  expect(writeZip(files)).toEqual(archive);
  expect(Object.keys(unzipSync(writeZip(new Map())))).toEqual([]);
});
