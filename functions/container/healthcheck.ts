// The image has no shell and no curl, so the health check of Docker and ECS runs this.
import { get } from 'node:http';
import { portOf } from './contract.ts';

/** Docker's own timeout would kill the process and say nothing. */
const TIMEOUT_MS = 4_000;

const path = '/health';

const request = get(
  { host: '127.0.0.1', port: portOf(process.env), path, timeout: TIMEOUT_MS },
  (response) => {
    response.resume();
    if (response.statusCode !== 200) fail(`GET ${path} answered with ${response.statusCode}`);
  },
);
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.on('error', ({ message }) => fail(`GET ${path}: ${message}`));

function fail(reason: string): void {
  console.error(reason);
  process.exitCode = 1;
}
