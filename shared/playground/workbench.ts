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

/** Where one model at a time is tried. */
export function createWorkbench(say: (text: string) => void): Workbench {
  const views = { answers: createAnswerView(say), calls: createCallView(say) };
  let loading = new AbortController();
  let trial: Trial | undefined;

  const close = (content: HTMLElement): void => {
    loading.abort();
    trial?.close();
    trial = undefined;
    views.answers.clear();
    fill(content);
  };
  const start = (place: string, { answer, failure }: Outcome): void => {
    if (failure) {
      say(`Error: ${failure.message}`);
      fill(showFailure(failure));
      return;
    }
    const model = parseDescription(answer?.json);
    trial = startTrial(`${place}/predict`, model, views);
    fill(trial.form.element, trial.form.buttons);
    showModel(model);
  };
  find('form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void trial?.run();
  });
  return {
    close,
    open: async ({ model = '', version = '' }) => {
      close(make('p', { class: 'empty' }, 'Loading the model …'));
      loading = new AbortController();
      const place = version ? pathOf('models', model, 'versions', version) : pathOf('models', model);
      const outcome = await attempt(place, loading.signal);
      if (outcome) start(place, outcome);
    },
  };
}

/** Puts content into the form; without buttons there is nothing to send, and nothing else to show. */
function fill(content: HTMLElement, buttons?: readonly HTMLElement[]): void {
  const actions = find('actions', HTMLElement);
  find('fields', HTMLElement).replaceChildren(content);
  actions.replaceChildren(find('submit', HTMLButtonElement), ...(buttons ?? []));
  actions.hidden = buttons === undefined;
  document.body.classList.toggle('closed', buttons === undefined);
  if (!buttons) showModel(undefined);
}
