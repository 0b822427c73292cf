import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import type { PackedPackage } from '../../functions/cli/deploy/npm.ts';
import { portOf } from './port-of.ts';

/** A registry that has packages which are not published yet. */
export interface NpmRegistry {
  /** As in `registry=<url>` of an .npmrc. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves packed packages as a registry of npm does, and sends npm to its own registry for all others.
 *
 * @param staged the folders that the packages were packed from, with their archives, by name
 * Source: the package metadata of npm's registry API.
 */
export async function startNpmRegistry(
  staged: ReadonlyMap<string, { readonly folder: string; readonly packed: PackedPackage }>,
): Promise<NpmRegistry> {
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  const files = new Map([...staged.values()].map(({ packed }) => [basename(packed.file), packed.file]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://localhost').pathname).slice(1);
    const file = files.get(path);
    const found = staged.get(path);
    if (file !== undefined) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(readFileSync(file));
    } else if (found) {
      const metadata = describePackage(found.folder, found.packed, portOf(server));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    } else {
      response.writeHead(302, { location: new URL(request.url ?? '', upstream).href }).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function describePackage(folder: string, { file }: PackedPackage, port: number): object {
  const manifest: { readonly name: string; readonly version: string } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const { name, version } = manifest;
  const archive = readFileSync(file);
  const dist = {
    tarball: `http://127.0.0.1:${port}/${basename(file)}`,
    integrity: `sha512-${createHash('sha512').update(archive).digest('base64')}`,
    shasum: createHash('sha1').update(archive).digest('hex'),
  };
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } };
}
