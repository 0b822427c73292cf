import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printable } from '../printable.ts';
import { urlOf } from '../server.ts';
import { describeExamples } from './examples.ts';
import { NODE_FLAGS } from './node-flags.ts';

/** Runs the built server, and says how to call it once it answers. Usage: start.ts [--host <address>] */
const port = process.env.PORT || '8080';
const hostname = readHost();
const url = urlOf(hostname, Number(port));
const script = join(import.meta.dirname, '../../dist/local/index.mjs');

if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
  console.error(`PORT=${JSON.stringify(port)} must be a number from 1 to 65535.`);
  process.exit(1);
}
if (await answers()) {
  console.error(`Something is listening on port ${port} already; choose another with PORT=<port> npm start.`);
  process.exit(1);
}

const server = spawn(process.execPath, [...NODE_FLAGS, script, `--host=${hostname}`, `--port=${port}`], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 0;
});

// Printed by the server that was started, not by one that ended meanwhile.
if (await becomesHealthy()) {
  try {
    console.log(printable(await describeExamples(url)));
  } catch (error) {
    console.error(printable(error instanceof Error ? error.message : String(error)));
    server.kill('SIGTERM');
  }
}

/** Without it the server is for this machine alone. Not by a variable: some shells set HOST to the machine's name. */
function readHost(): string {
  try {
    const { values } = parseArgs({ options: { host: { type: 'string' } } });
    return values.host || 'localhost';
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

async function becomesHealthy(): Promise<boolean> {
  while (server.exitCode === null && server.signalCode === null) {
    if (await answers()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function answers(): Promise<boolean> {
  return await fetch(`${url}/health`).then(
    () => true,
    () => false,
  );
}
