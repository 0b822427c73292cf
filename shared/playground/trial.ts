import { createForm } from './forms/create-form.ts';
import type { InputForm } from './forms/input-form.ts';
import type { ModelDescription } from './model-description.ts';
import { attempt } from './outcome.ts';
import type { AnswerView } from './views/answer-view.ts';
import type { CallView } from './views/call-view.ts';

/** One model version that is tried. */
export interface Trial {
  readonly form: InputForm;
  /** Sends the content of the form; an older request that is still running is cancelled. */
  run(): Promise<void>;
  close(): void;
}

interface Views {
  readonly answers: AnswerView;
  readonly calls: CallView;
}

/** @param path where its predict requests go */
export function startTrial(path: string, model: ModelDescription, { answers, calls }: Views): Trial {
  let asking = new AbortController();
  let isOpen = true;

  const run = async (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const payload = await form.read();
    if (signal.aborted) return;
    calls.show(path, payload);
    form.blame('');
    if (!payload) return answers.refuse(form.missing);
    answers.wait();
    const outcome = await attempt(path, signal, payload);
    if (!outcome) return;
    answers.show(outcome);
    form.blame(outcome.failure?.message ?? '');
  };
  const showCall = async (): Promise<void> => {
    const payload = await form.read();
    if (isOpen) calls.show(path, payload);
  };
  const form = createForm(model, {
    run: () => void run(),
    change: () => void showCall(),
    clear: () => {
      asking.abort();
      answers.clear();
      void showCall();
    },
  });
  void showCall();
  return {
    form,
    run,
    close: () => {
      isOpen = false;
      asking.abort();
      form.close();
    },
  };
}
