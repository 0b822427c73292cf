import { find, make } from './element.ts';
import { type ModelListing, parseListings } from './model-description.ts';
import { attempt } from './outcome.ts';
import { showLinks } from './page-links.ts';
import { readLink, type Shown, writeLink } from './share-link.ts';
import { showFailure } from './views/failure-view.ts';
import { createModelPicker } from './views/model-picker.ts';
import { createWorkbench } from './workbench.ts';

const TITLE = document.title;
const NEVER = new AbortController().signal;

const status = find('status', HTMLElement);
const workbench = createWorkbench((text) => {
  status.textContent = text;
});

void showLinks();
void start();

/** Lists the models, and shows the one the URL names, now and whenever it changes. */
async function start(): Promise<void> {
  const { answer, failure } = (await attempt('models', NEVER)) ?? {};
  if (failure) return workbench.close(showFailure(failure));
  const listings = parseListings(answer?.json);
  const picker = createModelPicker(listings, (shown) => {
    location.hash = writeLink(shown);
  });
  const open = (): void => {
    const shown = complete(readLink(location.hash), listings);
    history.replaceState(null, '', shown.model === undefined ? location.href : writeLink(shown));
    document.title = shown.model === undefined ? TITLE : `${shown.model} · ${TITLE}`;
    picker.choose(shown);
    if (shown.model === undefined) workbench.close(describeEmptiness());
    else void workbench.open(shown);
  };
  window.addEventListener('hashchange', open);
  open();
}

/** The defaults of a link: the first model, and its live version. */
function complete({ model, version }: Shown, listings: readonly ModelListing[]): Required<Shown> {
  const listing =
    listings.find(({ name }) => name === model) ?? (model === undefined ? listings[0] : undefined);
  return { model: model ?? listing?.name, version: version ?? listing?.liveVersion };
}

function describeEmptiness(): HTMLElement {
  return make(
    'p',
    { class: 'empty' },
    'This server has no models yet. Put one at ',
    make('code', {}, '<name>/1/model.onnx'),
    ' in its model repository.',
  );
}
