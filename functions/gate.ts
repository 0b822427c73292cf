import { type IncomingMessage, ServerResponse } from 'node:http';

/** Calls wait while the gate is shut, and run in their order when it opens. */
export interface Gate {
  shut(): void;
  open(): void;
  pass(go: () => void): void;
}

export function createGate(): Gate {
  let waiting: (() => void)[] | undefined;
  return {
    shut: () => {
      waiting ??= [];
    },
    open: () => {
      const ready = waiting ?? [];
      waiting = undefined;
      for (const go of ready) go();
    },
    pass: (go) => {
      if (waiting) waiting.push(go);
      else go();
    },
  };
}

/** Responses whose end waits until a gate is open. */
export function responsesThrough(gate: Gate): typeof ServerResponse<IncomingMessage> {
  return class extends ServerResponse<IncomingMessage> {
    override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), done?: () => void): this {
      gate.pass(() => {
        if (typeof encoding === 'string') super.end(chunk, encoding, done);
        else super.end(chunk, encoding ?? done);
      });
      return this;
    }
  };
}
