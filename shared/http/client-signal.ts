/** Aborted when the client of a request has gone: the part of an AbortSignal that is needed, which costs less to make. */
export interface ClientSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
