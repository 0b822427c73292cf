import * as z from 'zod/mini';
import { isPlainPath } from '../../../shared/models/file-manifest.ts';
import { type ModelStore, StoreError } from '../../../shared/stores/model-store.ts';
import { checkFiles, MOST_FILES, openRemoteFiles, type RemoteFile } from './remote-files.ts';
import type { SourceServer } from './source-server.ts';

const listSchema = z.object({
  files: z._default(
    z.array(
      z.object({
        path: z.string(),
        is_dir: z._default(z.boolean(), false),
        // Protocol buffers write numbers of 64 bits as texts.
        file_size: z.optional(
          z.union([z.int().check(z.minimum(0)), z.string().check(z.regex(/^\d{1,15}$/))]),
        ),
      }),
    ),
    [],
  ),
});

const MOST_FOLDERS = 200;
const DEEPEST = 16;

/** All files below a path of the artifacts that an MLflow server gives itself. Each request lists one folder. */
export async function listMlflowArtifacts(
  server: SourceServer,
  root: string,
  what: string,
): Promise<readonly RemoteFile[]> {
  const files: RemoteFile[] = [];
  const folders = [''];
  for (const folder of folders) {
    const url = new URL('api/2.0/mlflow-artifacts/artifacts', server.base);
    url.searchParams.set('path', [root, folder].filter(Boolean).join('/'));
    const { value } = await server.ask(url, `the files of ${what}`, listSchema);
    for (const { path: name, is_dir: isFolder, file_size: size = 0 } of value.files) {
      if (!isPlainPath(name)) checkFiles([{ path: name, sizeBytes: 0, etag: '' }], what);
      const path = [folder, name].filter(Boolean).join('/');
      if (isFolder) folders.push(path);
      else files.push({ path, sizeBytes: Number(size), etag: '' });
    }
    if (folders.length > MOST_FOLDERS || files.length > MOST_FILES || folder.split('/').length > DEEPEST)
      throw new StoreError(
        'corrupt',
        `${what} has too many files on ${server.title}; the limit is ${MOST_FILES} in ${MOST_FOLDERS} folders.`,
      );
  }
  return checkFiles(files, what);
}

export function openMlflowArtifacts(
  server: SourceServer,
  root: string,
  files: readonly RemoteFile[],
): ModelStore {
  const urlOf = (path: string) => {
    const parts = [...root.split('/').filter(Boolean), ...path.split('/')];
    return new URL(
      `api/2.0/mlflow-artifacts/artifacts/${parts.map(encodeURIComponent).join('/')}`,
      server.base,
    );
  };
  return openRemoteFiles({ server, url: `${server.base.href}${root}`, files, urlOf });
}
