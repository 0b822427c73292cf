import type { HostLog } from '../host.ts';

/**
 * The host of the functions takes lines of standard error as errors, or as warnings if they have that word, and all
 * others as information. Source: azure-functions-host, WorkerProcess.
 */
export const AZURE_LOG: HostLog = {
  write: (line, level) => {
    const stream = level === 'warn' || level === 'error' ? process.stderr : process.stdout;
    stream.write(`${line}\n`);
  },
};
