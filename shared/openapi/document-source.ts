import { writeJson } from '../json/write-json.ts';

import { folderOf, type ModelListing } from '../models/model-reference.ts';
import type { Protocol, ProtocolOptions } from '../protocols/operation.ts';

import { buildDocument } from './build-document.ts';
import { createModelReader } from './describe-models.ts';

/** The source of the server's description. */
export interface DocumentSource {
  /** The document as JSON. A broken model or repository never makes it reject. */
  read(): Promise<Uint8Array>;
}

/** The document for the models that are served now; written again only when they change. */
export function createDocumentSource(
  options: ProtocolOptions,
  protocols: readonly Protocol[],
): DocumentSource {
  const { inference, config, version, logger } = options;
  const readModels = createModelReader(inference);
  let current: { readonly key: string; readonly bytes: Uint8Array } | undefined;

  async function list(): Promise<readonly ModelListing[]> {
    try {
      return await inference.repository.list();
    } catch (error) {
      logger.log('warn', 'the description does not include the models', { error });
      return [];
    }
  }

  return {
    read: async () => {
      const listed = await list();
      const models = await readModels(listed);
      const folders = listed.map((model) => folderOf(model, model.liveVersion));
      const key = JSON.stringify([folders, models.map(({ reference, problem }) => [reference, problem])]);
      if (current?.key === key) return current.bytes;
      const document = await buildDocument({ protocols, models, version, config });
      const bytes = Buffer.from(writeJson(document));
      current = { key, bytes };
      return bytes;
    },
  };
}
