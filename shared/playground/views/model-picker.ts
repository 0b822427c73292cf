import { find, make } from '../element.ts';
import type { ModelListing } from '../model-description.ts';
import type { Shown } from '../share-link.ts';

export interface ModelPicker {
  /** Shows a choice. If the model or version does not exist, nothing is selected in its list. */
  choose(shown: Shown): void;
}

/** The lists of models and of the chosen model's versions. A newly picked model begins with its live version. */
export function createModelPicker(
  listings: readonly ModelListing[],
  pick: (shown: Required<Shown>) => void,
): ModelPicker {
  const models = find('model', HTMLSelectElement);
  const versions = find('version', HTMLSelectElement);
  const listingOf = (name: string | undefined) => listings.find((listing) => listing.name === name);

  models.replaceChildren(...listings.map(({ name }) => make('option', { value: name }, name)));
  models.addEventListener('change', () =>
    pick({ model: models.value, version: listingOf(models.value)?.liveVersion }),
  );
  versions.addEventListener('change', () => pick({ model: models.value, version: versions.value }));
  return {
    choose: ({ model = '', version = '' }) => {
      const listing = listingOf(model);
      versions.replaceChildren(...(listing ? makeVersions(listing) : []));
      models.value = model;
      versions.value = version;
      models.disabled = listings.length === 0;
      versions.disabled = listing === undefined;
    },
  };
}

/** The newest first. */
function makeVersions({ versions, liveVersion }: ModelListing): HTMLOptionElement[] {
  return versions
    .toReversed()
    .map((version) =>
      make('option', { value: version }, version === liveVersion ? `${version} (live)` : version),
    );
}
