import { createWriteStream } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A fixed date, so that the same files make the same archive. */
const MODIFIED = new Date('2000-01-01T00:00:00Z');

/** Packs all files of a folder, with paths relative to it. Returns the size of the archive in bytes. */
export async function zipFolder(folder: string, archive: string): Promise<number> {
  const zip = new ZipFile();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const name = relative(folder, file).split(sep).join('/');
    zip.addFile(file, name, { mtime: MODIFIED, mode: 0o100644, compressionLevel: 9 });
  }
  zip.end();
  // Nobody uploads half an archive.
  const part = `${archive}.part`;
  await pipeline(zip.outputStream, createWriteStream(part));
  await rename(part, archive);
  return (await stat(archive)).size;
}
