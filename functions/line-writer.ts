import type { LogLevel } from '../shared/config.ts';

export type WriteLine = (line: string, level: LogLevel) => void;

/**
 * Writes the lines of a log to standard output, those of one turn of the event loop together: each write is a call of
 * the system, which takes as long as everything else about a line. Warnings and errors are written at once, with all
 * lines before them, and the last lines before the process ends. Not for hosts that may freeze a process after an answer.
 */
export function createLineWriter(write: (text: string) => void = writeOut): WriteLine {
  let waiting = '';
  const flush = () => {
    const text = waiting;
    waiting = '';
    if (text !== '') write(text);
  };
  process.on('exit', flush);
  // A server whose log nobody reads any more still has its requests.
  if (write === writeOut) process.stdout.on('error', () => undefined);
  return (line, level) => {
    if (waiting === '') setImmediate(flush);
    waiting += `${line}\n`;
    if (level === 'warn' || level === 'error') flush();
  };
}

/** Files and pipes are written before this returns. */
function writeOut(text: string): void {
  process.stdout.write(text);
}
