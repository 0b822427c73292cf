import type { LogLevel } from '../config.ts';
import { writeJson, writeKey } from '../json/write-json.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  /**
   * @param fields members of the line, or a function that makes them, so that a line that is not written costs nothing
   */
  log(level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields | (() => LogFields)): void;
  /** Whether lines of this level are written. */
  writes(level: LogLevel): boolean;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/**
 * Writes one JSON object per line, which the log services of all clouds parse on their own.
 *
 * @param describe formats a record as a line for people who read it in a terminal
 * @param addMembers makes members that the log service of a cloud needs in each line
 */
export function createLogger(
  level: LogLevel,
  write: (line: string, level: LogLevel) => void,
  describe?: (record: LogFields) => string,
  addMembers?: (level: LogLevel, fields: LogFields) => LogFields,
): Logger {
  const writes = (asked: LogLevel) => ORDER.indexOf(asked) >= ORDER.indexOf(level);
  return {
    writes,
    log: (messageLevel, message, fields) => {
      if (!writes(messageLevel)) return;
      const given = typeof fields === 'function' ? fields() : fields;
      const members = addMembers ? { ...given, ...addMembers(messageLevel, given ?? {}) } : given;
      const line =
        describe === undefined && isPlain(members)
          ? writePlain(messageLevel, message, members)
          : writeRecord(
              { time: currentTime(), level: messageLevel, message, ...members },
              describe ?? JSON.stringify,
            );
      write(line, messageLevel);
    },
  };
}

type PlainFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Whether all members are texts, numbers and truth values, as in the line of nearly every request. */
function isPlain(members: LogFields = {}): members is PlainFields {
  for (const name in members) {
    const value = members[name];
    const isKnown = value === null || value === undefined || PLAIN_TYPES.includes(typeof value);
    if (!isKnown) return false;
  }
  return true;
}

const PLAIN_TYPES: readonly string[] = ['string', 'number', 'boolean'];

/** Without an object for the record, it takes half the time. */
function writePlain(level: string, message: string, members: PlainFields = {}): string {
  let line = `{"time":"${currentTime()}","level":"${level}","message":${writeJson(message)}`;
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) line += `,${writeKey(name)}${writeJson(value)}`;
  }
  return `${line}}`;
}

let latestMs = Number.NaN;
let latestTime = '';

/** Lines of the same millisecond share its text. */
function currentTime(): string {
  const ms = Date.now();
  if (ms !== latestMs) {
    latestMs = ms;
    latestTime = new Date(ms).toISOString();
  }
  return latestTime;
}

/** A member that cannot be read must not cost the line, and not the answer that it is about. */
function writeRecord(record: LogFields, describe: (record: LogFields) => string): string {
  const members = Object.entries(record).map(([key, value]): [string, unknown] => {
    try {
      return [key, toPlain(value, [])];
    } catch {
      return [key, '[unreadable]'];
    }
  });
  return describe(Object.fromEntries(members));
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
