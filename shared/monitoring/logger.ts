import type { LogLevel } from '../config.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  /**
   * @param fields members of the line, or a function that makes them, so that a line that is not written costs nothing
   */
  log(level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields | (() => LogFields)): void;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/**
 * Writes one JSON object per line, which the log services of all clouds parse on their own.
 *
 * @param describe formats a record as a line for people who read it in a terminal
 */
export function createLogger(
  level: LogLevel,
  write: (line: string, level: LogLevel) => void,
  describe: (record: LogFields) => string = JSON.stringify,
): Logger {
  return {
    log: (messageLevel, message, fields) => {
      if (ORDER.indexOf(messageLevel) < ORDER.indexOf(level)) return;
      const members = typeof fields === 'function' ? fields() : fields;
      const record = { time: new Date().toISOString(), level: messageLevel, message, ...members };
      write(describe(isPlain(members) ? record : toPlainMembers(record)), messageLevel);
    },
  };
}

/** Whether JSON can hold all members as they are, as in the line of nearly every request. */
function isPlain(members: LogFields = {}): boolean {
  for (const name in members) {
    const value = members[name];
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) return false;
  }
  return true;
}

function toPlainMembers(record: LogFields): LogFields {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, toPlain(value, [])]));
}

/**
 * A value that JSON can hold. Errors include their whole chain of causes, as the message alone seldom says where it
 * came from. Cycles, which errors of other libraries may have, are removed.
 */
function toPlain(value: unknown, parents: readonly unknown[]): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (parents.includes(value)) return '[circular]';
  const inside = [...parents, value];
  if (Array.isArray(value)) return value.map((item) => toPlain(item, inside));
  const members = value instanceof Error ? describeError(value) : value;
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, toPlain(member, inside)]));
}

function describeError(error: Error): LogFields {
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    cause: error.cause,
    ...('reason' in error && { reason: error.reason }),
    ...(error instanceof AggregateError && { errors: error.errors }),
  };
}

/** Milliseconds, rounded to the microsecond, as in logs and headers. */
export function roundMs(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
