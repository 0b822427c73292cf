import { find, make } from '../element.ts';
import { formatJson } from '../format-json.ts';
import type { Failure, Outcome } from '../outcome.ts';
import { createCodeView } from './code-view.ts';
import { showFailure } from './failure-view.ts';
import { showPredictions } from './prediction-view.ts';
import { showTimings } from './timing-view.ts';

export interface AnswerView {
  /** No request was sent yet. */
  clear(): void;
  /** A request is running; the previous answer stays visible. */
  wait(): void;
  show(outcome: Outcome): void;
  /** Says what to do before anything can be sent. */
  refuse(message: string): void;
}

/** Longer answers are cut: a page of a megabyte helps nobody. */
const LONGEST_ANSWER = 50_000;

/** The right side of the page: prediction, times and the answer as it came. */
export function createAnswerView(say: (text: string) => void): AnswerView {
  const section = find('answer', HTMLElement);
  const result = find('result', HTMLElement);
  const raw = find('raw', HTMLElement);
  const code = createCodeView('raw answer', say);
  find('raw-head', HTMLElement).append(code.button);
  raw.append(code.element);

  const fill = (busy: boolean, ...content: readonly HTMLElement[]): void => {
    section.setAttribute('aria-busy', String(busy));
    result.replaceChildren(...content);
  };
  const fail = (failure: Failure): HTMLElement => {
    say(`Error: ${failure.message}`);
    return showFailure(failure);
  };
  return {
    clear: () => {
      raw.hidden = true;
      fill(false, make('p', { class: 'empty' }, 'The prediction appears here.'));
    },
    wait: () => section.setAttribute('aria-busy', 'true'),
    show: ({ answer, failure }) => {
      const shown = failure ? fail(failure) : present(answer?.json, say);
      fill(false, shown, ...(answer ? [showTimings(answer.timings)] : []));
      raw.hidden = answer === undefined;
      code.show(shorten(answer?.text ?? ''));
    },
    refuse: (message) => {
      raw.hidden = true;
      say(message);
      fill(false, make('p', { class: 'empty' }, message));
    },
  };
}

function present(json: unknown, say: (text: string) => void): HTMLElement {
  const { element, spoken } = showPredictions(json);
  say(spoken);
  return element;
}

function shorten(text: string): string {
  if (text.length <= LONGEST_ANSWER) return formatJson(text);
  return `${text.slice(0, LONGEST_ANSWER)}\n… and ${text.length - LONGEST_ANSWER} more characters`;
}
