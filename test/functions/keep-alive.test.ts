import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openFunctionsFramework, openLocalServer } from '../support/hosts/child-process.ts';
import { startCommand } from '../support/run-command.ts';

async function startServe(...args: readonly string[]): Promise<number> {
  const running = startCommand(['serve', '--port', '0', '--grace', '0', ...args]);
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return Number(new URL(await running.seen(/http:\/\/localhost:\d+/)).port);
}

async function openHost(open: typeof openLocalServer): Promise<number> {
  const host = await open();
  onTestFinished(() => host.close());
  return host.port;
}

const SERVERS: readonly (readonly [name: string, start: () => Promise<number>])[] = [
  ['ternion serve', () => startServe()],
  ['npm start', () => openHost(openLocalServer)],
  ['the functions framework', () => openHost((environment) => openFunctionsFramework('local', environment))],
];

async function openConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [answer]: unknown[] = await once(socket, 'data');
  return String(answer);
}

// Node keeps them for five seconds by default.
it('all servers keep an idle connection longer than load balancers do', async () => {
  const sockets: (readonly [string, Socket])[] = [];
  for (const [name, start] of SERVERS) sockets.push([name, await openConnection(await start())]);
  for (const [name, socket] of sockets)
    expect(await ask(socket), name).toMatch(/keep-alive: timeout=620\r\n/i);
  await wait(7_000);
  for (const [name, socket] of sockets) expect(await ask(socket), name).toMatch(/^HTTP\/1\.1 200 /);
});

it('ternion serve --keep-alive says how long', async () => {
  const socket = await openConnection(await startServe('--keep-alive', '1'));
  expect(await ask(socket)).toMatch(/\r\nkeep-alive: timeout=1\r\n/i);
  // Resolves when the server closes it.
  await once(socket, 'end');
});

it.each(['0', '-1', 'long', '1.5', '86401'])('ternion serve refuses --keep-alive %s', async (seconds) => {
  const { code, stderr } = await startCommand(['serve', '--port', '0', `--keep-alive=${seconds}`]).outcome;
  expect([code, stderr]).toEqual([2, expect.stringMatching(/--keep-alive .* from 1 to 86400/)]);
});
