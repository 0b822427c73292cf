import { ConfigError } from '../../shared/config.ts';
import { InferenceError, systemCodeOf } from '../../shared/errors.ts';
import { type WritableJson, writeJson } from '../../shared/json/write-json.ts';
import { ModelError } from '../../shared/models/model-config.ts';
import { StoreError } from '../../shared/stores/model-store.ts';
import { printable } from '../printable.ts';

/** A command cannot do what it was asked to do; the message says what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** 1: it failed; 2: it was called incorrectly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/**
 * Where a command writes: results to stdout, in words or as one JSON object; everything else to stderr. With `--json` a
 * failure is an object on stdout as well, `{"error": "..."}`, so that programs always have something to parse. No text
 * can control the terminal, wherever it comes from: labels, names in a graph, files, messages of the runtime.
 */
export interface Console {
  readonly isJson: boolean;
  /** Whether somebody watches, so that a progress bar makes sense. */
  readonly isTerminal: boolean;
  result(json: WritableJson, words: () => string): void;
  note(text: string): void;
  /** @param isNew whether it has not been printed in words yet */
  failure(text: string, isNew: boolean): void;
}

export function createConsole(isJson: boolean): Console {
  const print = (text: string) => {
    process.stdout.write(`${printable(text)}\n`);
  };
  const note = (text: string) => printError(`${text}\n`);
  return {
    isJson,
    isTerminal: process.stderr.isTTY === true && !isJson,
    result: (json, words) => print(isJson ? writeJson(json) : words()),
    note,
    failure: (text, isNew) => {
      if (isJson) print(writeJson({ error: text }));
      if (isNew) note(text);
    },
  };
}

/** Writes to stderr, in a form that a terminal shows and does not act on. */
export function printError(text: string): void {
  process.stderr.write(printable(text));
}

/**
 * Lets a command end without an error when nobody reads its output, as in `ternion ... | head -1`. Any other failure to
 * print, such as a full disk, is reported and makes the command fail.
 */
export function survivePrinting(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    printError(`The result cannot be printed: ${describeSystemError(error) ?? error.message}\n`);
    process.exitCode = 1;
  });
}

/** The text of a failure, and its exit code. Only unforeseen failures include their stack. */
export function describeFailure(error: unknown): { readonly text: string; readonly exitCode: 1 | 2 } {
  if (error instanceof CommandError) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof ConfigError) return { text: error.message, exitCode: 2 };
  if (error instanceof InferenceError) return { text: withCause(error), exitCode: 1 };
  if (error instanceof ModelError)
    return { text: `The model cannot be served: ${error.message}.`, exitCode: 1 };
  if (error instanceof StoreError) return { text: error.message, exitCode: 1 };
  const text = describeSystemError(error);
  if (text !== undefined) return { text, exitCode: 1 };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}

/** The error of the operating system, as `<path>: <reason> (<code>).`; undefined for other errors. */
export function describeSystemError(error: unknown): string | undefined {
  const code = systemCodeOf(error);
  if (!(error instanceof Error) || typeof code !== 'string' || !('syscall' in error)) return undefined;
  // Node writes `<code>: <reason>, <call> '<path>'`.
  const [, reason = ''] = /^[A-Z0-9]+: ([^,]+),/.exec(error.message) ?? [];
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  return `${path}${reason || error.message} (${code}).`;
}

/**
 * A server does not say to its clients why a model fails, but the user of a command needs to know, because there is no
 * log. For an unforeseen failure this is only its reason.
 */
function withCause({ code, message, cause }: InferenceError): string {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(reason instanceof Error) || message.includes(reason.message)) return message;
  return code === 'INTERNAL_ERROR' ? reason.message : `${message}\n  ${reason.message}`;
}
