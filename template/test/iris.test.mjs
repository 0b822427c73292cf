// Asks the server of this project as its clients do. It is JavaScript, so that it runs on Node 20 as well.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const manifest = createRequire(import.meta.url).resolve('ternion/package.json');
const command = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.ternion);
const serve = ['serve', '--repository', 'models', '--port', '0', '--grace', '0', '--json'];

let server;
let url;

before(async () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  server = spawn(process.execPath, [command, ...serve], { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  // With --json, its first line is its address, or why it cannot start.
  const lines = createInterface({ input: server.stdout });
  const [line = '{}'] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  const started = JSON.parse(line);
  assert.ok(started.url, started.error ?? 'the server has not started');
  url = started.url;
});

after(async () => {
  if (server.exitCode === null && server.kill()) await once(server, 'exit');
});

async function predict(features) {
  const response = await fetch(`${url}/models/iris/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ features }),
  });
  return { status: response.status, body: await response.json() };
}

test('a flower that the model is sure about', async () => {
  const { status, body } = await predict([5.1, 3.5, 1.4, 0.2]);
  assert.equal(status, 200);
  assert.equal(body.species, 'setosa');
  assert.ok(Math.abs(body.confidence - 0.9999) < 1e-3, String(body.confidence));
});

test('a flower between two species', async () => {
  const { status, body } = await predict({
    sepal_length: 6.3,
    sepal_width: 2.5,
    petal_length: 4.9,
    petal_width: 1.5,
  });
  assert.deepEqual([status, body.species, body.reason], [200, null, 'unsure']);
});

test('a mistake of the client', async () => {
  const { status, body } = await predict([5.1, 3.5, 1.4, 'wide']);
  assert.equal(status, 400);
  assert.match(body.error, /petal_width/);
});
