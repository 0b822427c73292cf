import type { LogLevel } from '../config.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  log(level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields): void;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Writes one JSON object per line, which is what the log services of all clouds take apart by themselves. */
export function createLogger(level: LogLevel, write: (line: string) => void): Logger {
  return {
    log: (messageLevel, message, fields) => {
      if (ORDER.indexOf(messageLevel) < ORDER.indexOf(level)) return;
      const record = { time: new Date().toISOString(), level: messageLevel, message, ...fields };
      write(JSON.stringify(record, (_, value) => (value instanceof Error ? describeError(value) : value)));
    },
  };
}

/** An error with its whole chain of causes; the message alone seldom says where it came from. */
function describeError(error: Error): LogFields {
  return { name: error.name, message: error.message, stack: error.stack, cause: error.cause };
}
