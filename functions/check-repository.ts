import { StoreError } from '../shared/stores/model-store.ts';
import { endWith } from './end-with.ts';
import type { Host } from './host.ts';

/** Ends the process if the folder of the models does not exist, because a restart would not help. */
export async function checkRepository({ app, config }: Host): Promise<void> {
  await app.inference.repository.ready().catch((error: unknown) => {
    // A store that cannot be reached now may be available later; until then requests get an error.
    if (!(error instanceof StoreError) || error.reason !== 'missing') return;
    endWith(`MODEL_REPOSITORY=${JSON.stringify(config.modelRepository)}: ${error.message}`);
  });
}
