import { membersOf, textOf } from './parse.ts';
import { type Answer, ask, type Extras, type Payload } from './server.ts';

/** A failure, as the page shows it. */
export interface Failure {
  /** Status and error code. */
  readonly title: string;
  readonly message: string;
  /** The part of the request that the message is about. */
  readonly field?: string | undefined;
  readonly requestId?: string | undefined;
}

/** How a request ended. */
export interface Outcome {
  /** Undefined when the server did not answer. */
  readonly answer?: Answer;
  readonly failure?: Failure | undefined;
}

const NO_ANSWER: Failure = {
  title: 'No answer',
  message: 'The server cannot be reached, or the connection was lost. Is the server still running?',
};

const SHORT = 300;

/** Sends a request and never rejects. Undefined when `signal` has aborted: the outcome is no longer needed. */
export async function attempt(
  path: string,
  signal: AbortSignal,
  payload?: Payload,
  extras?: Extras,
): Promise<Outcome | undefined> {
  try {
    const answer = await ask(path, signal, payload, extras);
    return signal.aborted ? undefined : { answer, failure: failureOf(answer) };
  } catch {
    return signal.aborted ? undefined : { failure: NO_ANSWER };
  }
}

/** The error in an answer; undefined after success. A gateway in front of the server may answer without JSON. */
export function failureOf({
  status,
  text,
  json,
}: Pick<Answer, 'status' | 'text' | 'json'>): Failure | undefined {
  if (status < 400 && json !== undefined) return undefined;
  const { error, error_code: code, request_id: requestId, message: foreign } = membersOf(json);
  const message = textOf(error) ?? textOf(foreign) ?? text.trim().slice(0, SHORT);
  return {
    title: `${status} ${textOf(code) ?? ''}`.trim(),
    message: message || 'The answer is empty.',
    field: /^Field "([^"]+)"/.exec(message)?.[1],
    requestId: textOf(requestId),
  };
}
