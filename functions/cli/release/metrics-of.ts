import { parseMembers } from '../../../shared/json/members.ts';
import { CONFIG_FILE } from '../../../shared/models/version-folder.ts';
import type { Current } from '../../../shared/releases/release-log.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';

/**
 * The metrics of a version: those of its `model.json`, and those that were noted since, which count more.
 *
 * @throws StoreError
 */
export async function metricsOf(
  store: WritableStore,
  model: string,
  version: string,
  { card }: Pick<Current, 'card'>,
): Promise<Readonly<Record<string, number>>> {
  const loaded = await store.load(`${model}/${version}/${CONFIG_FILE}`);
  const { metrics } = loaded.is === 'there' ? parseMembers(loaded.content.toString()) : {};
  const given = typeof metrics === 'object' && metrics !== null ? Object.entries(metrics) : [];
  const numbers = given.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return { ...Object.fromEntries(numbers), ...card.versions[version]?.metrics };
}
