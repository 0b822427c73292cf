import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { printable } from '../printable.ts';
import { describeExamples } from './examples.ts';
import { NODE_FLAGS } from './node-flags.ts';

/** Runs the built function in the functions framework, and says how to call it once it answers. */
const port = process.env.PORT || '8080';
const url = `http://localhost:${port}`;
const project = join(import.meta.dirname, '../..');

if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
  console.error(`PORT=${JSON.stringify(port)} must be a number from 1 to 65535.`);
  process.exit(1);
}
if (await answers()) {
  console.error(`Something is listening on port ${port} already; choose another with PORT=<port> npm start.`);
  process.exit(1);
}

const server = spawn(
  process.execPath,
  [
    ...NODE_FLAGS,
    frameworkScript(),
    `--source=${join(project, 'dist/local/index.mjs')}`,
    '--target=ternion',
    `--port=${port}`,
  ],
  // In production mode the framework leaves the announcement of the URL to us.
  { stdio: 'inherit', env: { ...process.env, NODE_ENV: process.env.NODE_ENV || 'production' } },
);
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

function frameworkScript(): string {
  const library = createRequire(import.meta.url).resolve('@google-cloud/functions-framework');
  return join(dirname(library), 'main.js');
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
