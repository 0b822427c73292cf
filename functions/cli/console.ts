import { ConfigError } from '../../shared/config.ts';
import { InferenceError } from '../../shared/errors.ts';
import { type WritableJson, writeJson } from '../../shared/json/write-json.ts';
import { ModelError } from '../../shared/models/model-config.ts';
import { StoreError } from '../../shared/stores/model-store.ts';

/** What a command was asked for cannot be done; the message says what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** 1: it failed; 2: it was called in a wrong way. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Where a command writes: results to stdout, in words or as one JSON object; everything else to stderr. */
export interface Console {
  readonly isJson: boolean;
  /** Whether somebody watches, so that a progress bar makes sense. */
  readonly isTerminal: boolean;
  result(json: WritableJson, words: () => string): void;
  note(text: string): void;
}

export function createConsole(isJson: boolean): Console {
  return {
    isJson,
    isTerminal: process.stderr.isTTY === true && !isJson,
    result: (json, words) => process.stdout.write(`${isJson ? writeJson(json) : words()}\n`),
    note: (text) => {
      process.stderr.write(`${text}\n`);
    },
  };
}

/** What a failure is told as, and the exit code that goes with it. Only the unforeseen brings its stack. */
export function describeFailure(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof CommandError) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof ConfigError) return { text: error.message, exitCode: 2 };
  if (error instanceof InferenceError) return { text: withCause(error.message, error.cause), exitCode: 1 };
  if (error instanceof ModelError)
    return { text: `The model cannot be served: ${error.message}.`, exitCode: 1 };
  if (error instanceof StoreError) return { text: error.message, exitCode: 1 };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}

/** Clients of a server are not told why a model fails; whoever runs it on the own machine is. */
function withCause(message: string, cause: unknown): string {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return reason instanceof Error ? `${message}\n  ${reason.message}` : message;
}
