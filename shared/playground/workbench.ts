import { find, make } from './element.ts';
import { parseDescription } from './model-description.ts';
import { attempt, type Outcome } from './outcome.ts';
import { pathOf } from './server.ts';
import type { Shown } from './share-link.ts';
import { startTrial, type Trial } from './trial.ts';
import { createAnswerView } from './views/answer-view.ts';
import { createCallView } from './views/call-view.ts';
import { showFailure } from './views/failure-view.ts';
import { showModel } from './views/model-view.ts';

export interface Workbench {
  /** Loads a model version and shows its form. */
  open(shown: Shown): Promise<void>;
  /** Shows why there is nothing to open. */
  close(reason: HTMLElement): void;
}

/**
 * How long the previous model stays visible: most models load at once, and a brief flash of another view would only
 * distract.
 */
const PATIENCE_MS = 200;

/** Where one model at a time is tried. */
export function createWorkbench(say: (text: string) => void): Workbench {
  const views = { answers: createAnswerView(say), calls: createCallView(say) };
  const form = find('form', HTMLFormElement);
  let loading = new AbortController();
  let trial: Trial | undefined;

  const leave = (): void => {
    loading.abort();
    loading = new AbortController();
    trial?.close();
    trial = undefined;
    form.inert = true;
  };
  const show = (content: HTMLElement, buttons?: readonly HTMLElement[]): void => {
    views.answers.clear();
    fill(content, buttons);
    form.inert = false;
  };
  const start = (place: string, { answer, failure }: Outcome): void => {
    if (failure) {
      say(`Error: ${failure.message}`);
      show(showFailure(failure));
      return;
    }
    const model = parseDescription(answer?.json);
    trial = startTrial(`${place}/predict`, model, views);
    show(trial.form.element, trial.form.buttons);
    showModel(model);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void trial?.run();
  });
  return {
    close: (reason) => {
      leave();
      show(reason);
    },
    open: async (shown) => {
      leave();
      const wait = setTimeout(() => show(make('p', { class: 'empty' }, 'Loading the model …')), PATIENCE_MS);
      const place = placeOf(shown);
      const outcome = await attempt(place, loading.signal);
      clearTimeout(wait);
      if (outcome) start(place, outcome);
    },
  };
}

/** Where a model is described; without a version, its live one. */
function placeOf({ model = '', version }: Shown): string {
  return version ? pathOf('models', model, 'versions', version) : pathOf('models', model);
}

/** Puts content into the form; without buttons there is nothing to send, and nothing else is shown. */
function fill(content: HTMLElement, buttons?: readonly HTMLElement[]): void {
  const actions = find('actions', HTMLElement);
  find('fields', HTMLElement).replaceChildren(content);
  actions.replaceChildren(find('submit', HTMLButtonElement), ...(buttons ?? []));
  actions.hidden = buttons === undefined;
  document.body.classList.toggle('closed', buttons === undefined);
  if (!buttons) showModel(undefined);
}
