import { find, make } from '../element.ts';
import { parseListings } from '../model-description.ts';
import { attempt, type Failure } from '../outcome.ts';
import { showLinks } from '../page-links.ts';
import { pathOf } from '../server.ts';
import { readLink, writeLink } from '../share-link.ts';
import { showFailure } from '../views/failure-view.ts';
import { createChangeForm, type Wanted } from './change-form.ts';
import { showHistory } from './history-view.ts';
import { openRegistry, type Registry } from './registry.ts';
import { type Change, parseHistory, parseServed, type Served } from './served.ts';
import { showServed, showVersions } from './served-view.ts';

const TITLE = document.title;

const model = find('model', HTMLSelectElement);
const refresh = find('refresh', HTMLButtonElement);
const notice = find('notice', HTMLElement);
const status = find('status', HTMLElement);
const state = find('state', HTMLElement);
const keyForm = find('key-form', HTMLFormElement);
const key = find('key', HTMLInputElement);
const person = find('person', HTMLInputElement);
const keyNotice = find('key-notice', HTMLElement);
const changeCard = find('change', HTMLFormElement);
const changeNotice = find('change-notice', HTMLElement);
const past = find('history', HTMLElement);
const older = find('older', HTMLButtonElement);

/** What is shown of the chosen model. */
let served: Served | undefined;
let changes: readonly Change[] = [];
let next: string | undefined;
let registry: Registry | undefined;
let loading = new AbortController();

const form = createChangeForm((wanted) => void send(wanted));

void showLinks('releases');
void start();

/** Lists the models, and shows the one the URL names, now and whenever it changes. */
async function start(): Promise<void> {
  const { answer, failure } = (await attempt('models', loading.signal)) ?? {};
  if (failure) return notice.replaceChildren(showFailure(failure));
  const names = parseListings(answer?.json).map(({ name }) => name);
  const open = (): void => {
    const wanted = readLink(location.hash).model ?? names[0];
    if (wanted === undefined) {
      notice.replaceChildren(make('p', { class: 'empty' }, 'This server has no models yet.'));
      return;
    }
    // A model whose versions are all archived is not listed, but has a history.
    const offered = names.includes(wanted) ? names : [...names, wanted];
    model.replaceChildren(...offered.map((name) => make('option', { value: name }, name)));
    model.value = wanted;
    model.disabled = false;
    history.replaceState(null, '', writeLink({ model: wanted }));
    document.title = `${wanted} · ${TITLE}`;
    changeNotice.replaceChildren();
    form.clear();
    void load();
  };
  model.addEventListener('change', () => {
    location.hash = writeLink({ model: model.value });
  });
  window.addEventListener('hashchange', open);
  refresh.addEventListener('click', () => {
    changeNotice.replaceChildren();
    void load();
  });
  older.addEventListener('click', () => void loadHistory(loading.signal, next));
  open();
}

/** Reads what is served of the chosen model, and its history if there is a key. */
async function load(): Promise<void> {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  refresh.disabled = true;
  // What is shown is decided for the model before, until `show` draws this one.
  changeCard.inert = true;
  older.disabled = true;
  changes = [];
  next = undefined;
  const outcome = await attempt(pathOf('models', model.value, 'releases'), signal);
  if (!outcome) return;
  refresh.disabled = false;
  const { answer, failure } = outcome;
  served = failure ? undefined : parseServed(answer?.json);
  notice.replaceChildren(...(failure ? [showFailure(failure)] : []));
  if (registry) await loadHistory(signal);
  else show();
}

async function loadHistory(signal: AbortSignal, from?: string): Promise<void> {
  older.disabled = true;
  const outcome = await registry?.history(model.value, from, signal);
  if (!outcome) return;
  older.disabled = false;
  const { answer, failure } = outcome;
  if (answer?.status === 401 && failure) return askKey(failure);
  if (failure) {
    changes = [];
    next = undefined;
    changeNotice.replaceChildren(showFailure(failure));
  } else {
    const [page, after] = parseHistory(answer?.json);
    // The pages move on with each new change.
    const oldest = changes.at(-1)?.revision ?? 0;
    changes = from === undefined ? page : [...changes, ...page.filter(({ revision }) => revision < oldest)];
    next = after;
  }
  show();
}

function askKey({ title, message, requestId }: Failure): void {
  registry = undefined;
  const text = `This key is not the one of the server. ${message}`;
  keyNotice.replaceChildren(showFailure({ title, message: text, requestId }));
  show();
  key.focus();
}

/** Draws all that is known. */
function show(): void {
  const isOpen = registry !== undefined;
  state.hidden = served === undefined;
  if (served) {
    // The newest change has the conditions of the rules, which others do not see.
    const rules = (isOpen ? changes[0]?.rules : undefined) ?? served.rules;
    find('served', HTMLElement).replaceChildren(showServed(served, rules));
    find('versions', HTMLElement).replaceChildren(showVersions(served));
  }
  const canAsk = served === undefined || served.hasRegistry;
  keyForm.hidden = isOpen || !canAsk;
  find('read-only', HTMLElement).hidden = isOpen || canAsk;
  changeCard.hidden = !isOpen;
  find('history-card', HTMLElement).hidden = !isOpen;
  if (!isOpen) return;
  form.offer(served, changes);
  changeCard.inert = false;
  past.replaceChildren(showHistory(changes));
  older.hidden = next === undefined;
}

keyForm.addEventListener('submit', (event) => {
  event.preventDefault();
  registry = openRegistry(key.value.trim(), person.value.trim());
  key.value = '';
  keyNotice.replaceChildren();
  void load();
});

/** Sends a change that was decided for what the page shows. */
async function send({ call, fields }: Wanted): Promise<void> {
  const name = model.value;
  changeCard.inert = true;
  const expected = changes[0]?.revision ?? 0;
  const outcome = await registry?.change(call, { name, expected_revision: expected, ...fields });
  const failure = outcome?.failure;
  // Another model was chosen meanwhile, and its form is no longer this one.
  if (model.value !== name) return;
  changeNotice.replaceChildren(...(failure ? [showFailure(failure)] : []));
  status.textContent = failure ? `Error: ${failure.message}` : 'The change is made.';
  if (!failure) form.clear();
  await load();
}
