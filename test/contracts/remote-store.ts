import { afterEach, describe, expect, it } from 'vitest';
import type { StoredFile, WritableStore } from '../../shared/stores/model-store.ts';
import type { StoreEffect } from '../support/store-faults.ts';
import { describeModelStore, textOf } from './model-store.ts';

/** A small server with the protocol of a store, whose faults the test chooses. */
export interface RemoteServer {
  readonly requests: readonly { readonly status: number }[];
  put(path: string, content: string | Uint8Array): void;
  remove(path: string): void;
  addFault(fault: {
    readonly when: () => boolean;
    readonly times?: number;
    readonly effect: StoreEffect;
  }): void;
  close(): Promise<void>;
}

export interface RemoteLimits {
  readonly attempts?: number;
  readonly socketTimeoutMs?: number;
}

export interface RemoteStore<S extends RemoteServer> {
  /** Starts a server with the files of the bucket or container "models", or without any of that name. */
  start(files: Readonly<Record<string, string>> | undefined): Promise<S>;
  /** @param path of the repository: `models`, or with a prefix after it */
  open(server: S, limits: RemoteLimits, path: string): WritableStore;
  /** Two refusals of a store that is busy for a moment. */
  readonly busy: readonly [{ status: number; code: string }, { status: number; code: string }];
}

/** What every store on another machine does: as any store, and when its server or the network fails. */
export function describeRemoteStore<S extends RemoteServer>(title: string, remote: RemoteStore<S>): void {
  const servers: S[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  const start = async (files: Readonly<Record<string, string>> | undefined) => {
    const server = await remote.start(files);
    servers.push(server);
    return server;
  };

  for (const prefix of ['', 'team a/models/']) {
    describeModelStore(prefix === '' ? title : `a prefix in ${title}`, async (files) => {
      const below = Object.entries(files ?? {}).map(([path, content]) => [prefix + path, content]);
      const others = prefix === '' ? {} : { 'team a/models2/x': 'x', y: 'y' };
      const server = await start(files && { ...Object.fromEntries(below), ...others });
      return {
        store: remote.open(server, {}, `models/${prefix}`),
        write: async (path, content) => server.put(prefix + path, content),
        remove: async (path) => server.remove(prefix + path),
        close: async () => undefined,
      };
    });
  }

  describe(`${title} that fails`, () => {
    const open = (server: S, limits: RemoteLimits = {}) => remote.open(server, limits, 'models');

    it('is asked again after a few answers of a busy store', async () => {
      const server = await start({ a: 'x' });
      for (const answer of remote.busy)
        server.addFault({ when: () => true, times: 1, effect: { kind: 'refuse', ...answer } });
      expect((await open(server).list('')).map(({ path }) => path)).toEqual(['a']);
      const statuses = server.requests.map(({ status }) => status);
      expect(statuses).toEqual([...remote.busy.map(({ status }) => status), 200]);
    });

    it('is given up after three answers of a busy store', async () => {
      const server = await start({});
      server.addFault({ when: () => true, effect: { kind: 'refuse', ...remote.busy[1] } });
      await expect(open(server).list('')).rejects.toMatchObject({ reason: 'unreachable' });
      expect(server.requests).toHaveLength(3);
    });

    it('is given up when it never answers', async () => {
      const server = await start({});
      server.addFault({ when: () => true, effect: { kind: 'hang' } });
      const store = open(server, { attempts: 2, socketTimeoutMs: 200 });
      await expect(store.list('')).rejects.toMatchObject({ reason: 'unreachable' });
      expect(server.requests).toHaveLength(2);
    });

    it('is given up when a body goes silent', async () => {
      const server = await start({ a: '0123456789' });
      const store = open(server, { socketTimeoutMs: 200 });
      const file = await firstOf(store.list(''));
      server.addFault({ when: () => true, effect: { kind: 'hang', afterBytes: 4 } });
      await expect(textOf(store.read(file, 0, 10))).rejects.toThrow('timed out');
    });

    it('is unreachable when nobody listens', async () => {
      const server = await start({});
      await server.close();
      servers.splice(0);
      const store = open(server, { attempts: 1 });
      await expect(store.list('')).rejects.toMatchObject({ reason: 'unreachable' });
    });
  });
}

/** The first file of a listing. */
export async function firstOf(files: Promise<readonly StoredFile[]>): Promise<StoredFile> {
  const [file] = await files;
  if (!file) throw new Error('the listing is empty');
  return file;
}
