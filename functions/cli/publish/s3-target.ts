import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MANIFEST_FILE } from '../../../shared/models/file-manifest.ts';
import { VERSION_FILES } from '../../../shared/models/formats/recognise.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { openS3Uploads } from '../../../shared/stores/s3-upload.ts';
import { hashFile } from './hash-file.ts';
import type { StagedVersion, Target } from './target.ts';

/**
 * A repository in S3. `files.json` comes first, which claims the version: it is written only where there is none. What
 * makes a folder a version comes last, so that servers see it when all of it is there. A version whose upload was cut
 * off is none yet: it is gone on with by the same files, and by no others.
 */
export function openS3Target(repository: string): Target {
  const store = openS3Store(repository);
  const upload = openS3Uploads(repository);
  return {
    versions: async (name) => {
      const files = (await store.list(name)).map(({ path }) => path.slice(name.length + 1).split('/'));
      const whole = files.filter(([, ...below]) => VERSION_FILES.includes(below.join('/')));
      return [...new Set(whole.map(([version = '']) => version))];
    },
    stage: async (_, version) => {
      const folder = join(await mkdtemp(join(tmpdir(), 'ternion-add-')), version);
      await mkdir(folder);
      return folder;
    },
    publish: async (name, version, staged) => {
      const prefix = `${name}/${version}`;
      try {
        const [claim, ...files] = await toUploads(prefix, staged);
        if (claim && !(await upload(claim, true)) && !(await isSame(claim.file, claim.path)))
          return undefined;
        for (const file of files) await upload(file, false);
      } finally {
        await rm(dirname(staged.folder), { recursive: true, force: true });
      }
      return `${store.url}/${prefix}`;
    },
  };

  async function isSame(file: string, path: string): Promise<boolean> {
    const [found] = (await store.list(dirname(path))).filter((each) => each.path === path);
    if (!found) return false;
    return (await text(await store.read(found, 0, found.sizeBytes))) === (await readFile(file, 'utf8'));
  }
}

/** The manifest, then files in the order in which they are safe to be seen. */
async function toUploads(prefix: string, { folder, manifest }: StagedVersion) {
  const manifestPath = join(folder, MANIFEST_FILE);
  const { size } = await stat(manifestPath);
  const files = [
    { path: MANIFEST_FILE, sizeBytes: size, sha256: await hashFile(manifestPath) },
    ...manifest.files.filter(({ path }) => !VERSION_FILES.includes(path)),
    // The largest first: from the first of them on a server takes the folder for a version.
    ...manifest.files
      .filter(({ path }) => VERSION_FILES.includes(path))
      .sort((a, b) => b.sizeBytes - a.sizeBytes),
  ];
  return files.map((file) => ({ ...file, file: join(folder, file.path), path: `${prefix}/${file.path}` }));
}
