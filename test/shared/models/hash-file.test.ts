import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashFile } from '../../../shared/models/hash-file.ts';
import { bytes, makeFolder } from '../../support/artifact-setup.ts';

const content = bytes(3_000_000);
const sha256 = createHash('sha256').update(content).digest('hex');

describe('hashFile', () => {
  it('hashes a file that is there', async () => {
    const path = join(await makeFolder(), 'model.onnx');
    await writeFile(path, content);
    const hash = await hashFile(path, content.length, content.length);
    expect(await hash.digest()).toBe(sha256);
  });

  it('hashes a file while it is written, and waits for bytes that are not there yet', async () => {
    const path = join(await makeFolder(), 'model.onnx');
    const file = await open(path, 'w');
    const hash = await hashFile(path, content.length, 0);
    // The end comes first, as with a part of a download, and the same position is reported several times.
    await file.write(content, 2_000_000, 1_000_000, 2_000_000);
    for (let end = 0; end <= content.length; end += 500_000) {
      await file.write(
        content,
        Math.max(0, end - 500_000),
        Math.min(end, 500_000),
        Math.max(0, end - 500_000),
      );
      for (let again = 0; again < 3; again++) {
        hash.advance(end);
        await new Promise(setImmediate);
      }
    }
    await file.close();
    expect(await hash.digest()).toBe(sha256);
  });

  it('gives another hash for a file that has become shorter, and an error for one that is gone', async () => {
    const path = join(await makeFolder(), 'model.onnx');
    await writeFile(path, content.subarray(1));
    const hash = await hashFile(path, content.length, content.length);
    expect(await hash.digest()).not.toBe(sha256);
    const gone = await hashFile(`${path}.gone`, 10, 10);
    await expect(gone.digest()).rejects.toThrow('ENOENT');
  });

  it('stops while it waits', async () => {
    const path = join(await makeFolder(), 'model.onnx');
    await writeFile(path, content);
    const hash = await hashFile(path, content.length, 1);
    await hash.stop();
  });
});
