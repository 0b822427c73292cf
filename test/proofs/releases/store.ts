import { contentOf } from '../../../shared/models/content-of.ts';
import { MANIFEST_FILE } from '../../../shared/models/file-manifest.ts';
import { publishFiles } from '../../../shared/models/publish-files.ts';
import { INDEX_FILE } from '../../../shared/models/repository-listing.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { buildModel, buildNode, FLOAT, floatInitializer, tensorValue } from '../../support/build-model.ts';
import { startS3Server } from '../../support/s3-server.ts';

export const MODEL = 'adder';

/** What a process got when it asked for the index. */
export interface Read {
  /** When its request came. */
  readonly atMs: number;
  readonly text: string;
}

/** What is wrong with a graph: a part of it is missing, or it has other bytes. */
export type Damage = 'short' | 'other';

/** A store of the S3 protocol that notes what each process reads, and can be cut. */
export interface ProofStore {
  /** As the operators use it. */
  readonly store: WritableStore;
  /** The variables of a process that reads it. */
  environmentOf(process: string): Readonly<Record<string, string>>;
  /** What a process has read of the index, in this order. */
  readsOf(process: string): readonly Read[];
  /** Publishes a version that adds its number to each input. */
  publish(version: string, damage?: Damage): Promise<void>;
  /** Gives the graph of a version its right bytes again. */
  repair(version: string): void;
  /** From now on it hangs up on each request. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function openProofStore(): Promise<ProofStore> {
  const reads = new Map<string, Read[]>();
  let isCut = false;
  const server = await startS3Server({
    onRequest: ({ operation, key, token = '' }) => {
      const content = server.content(key);
      if (isCut || operation !== 'GetObject' || key !== INDEX_FILE || !content) return;
      reads.set(token, [...(reads.get(token) ?? []), { atMs: Date.now(), text: content.toString() }]);
    },
  });
  const { credentials, region, ...client } = server.client;
  const store = openS3Store('s3://models', { ...client, region, credentials });
  return {
    store,
    environmentOf: (process) => ({
      MODEL_REPOSITORY: 's3://models',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: process,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: server.url,
      S3_PATH_STYLE: 'true',
    }),
    readsOf: (process) => reads.get(process) ?? [],
    publish: async (version, damage) => {
      const graph = contentOf(addingModel(version));
      const { sizeBytes, sha256 } = graph;
      const manifest = { files: [{ path: 'model.onnx', sizeBytes, sha256 }] };
      const claim = contentOf(Buffer.from(JSON.stringify(manifest)));
      const folder = await publishFiles(store, MODEL, version, { manifest, claim, contentOf: () => graph });
      if (folder === undefined) throw new Error(`version ${version} has a ${MANIFEST_FILE} already`);
      if (damage === 'short') server.put(graphOf(version), addingModel(version).subarray(0, -1));
      if (damage === 'other') server.put(graphOf(version), Buffer.alloc(sizeBytes, 'damaged '));
      await updateIndex(store, [MODEL]);
    },
    repair: (version) => server.put(graphOf(version), addingModel(version)),
    cut: () => {
      isCut = true;
      server.addFault({ when: () => true, effect: { kind: 'cut' } });
    },
    mend: () => {
      isCut = false;
      server.clearFaults();
    },
    close: server.close,
  };
}

function graphOf(version: string): string {
  return `${MODEL}/${version}/model.onnx`;
}

function addingModel(version: string): Buffer {
  const graph = buildModel({
    nodes: [buildNode('Add', ['x', 'summand'], ['y'])],
    inputs: [tensorValue('x', FLOAT, ['n'])],
    outputs: [tensorValue('y', FLOAT, ['n'])],
    initializers: [floatInitializer('summand', [1], [Number(version)])],
  });
  return Buffer.from(graph);
}
