import { describe, expect, it, onTestFinished } from 'vitest';
import { describeHttpHost } from '../../contracts/http-host.ts';
import { canConnect, OTHER_ADDRESS } from '../../support/hosts/can-connect.ts';
import { findFreePort, openFunctionsFramework, openLocalServer } from '../../support/hosts/child-process.ts';
import { type Running, startNode } from '../../support/run-command.ts';

describeHttpHost('the local bundle run by itself', () => openLocalServer());

async function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ running: Running; port: number }> {
  const port = await findFreePort();
  const running = startNode(['functions/local/start.ts', ...args], { PORT: String(port), ...environment });
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return { running, port };
}

describe('npm start', () => {
  it('listens on both addresses of localhost, and on no other', async () => {
    const { running, port } = await start([]);
    expect(await running.seen(/Ternion serves .*/)).toBe(
      `Ternion serves 2 models at http://localhost:${port}`,
    );
    expect(await canConnect(port, '127.0.0.1')).toBe(true);
    expect(await canConnect(port, '::1')).toBe(true);
    expect(await canConnect(port, OTHER_ADDRESS)).toBe(false);
    running.process.kill('SIGTERM');
    expect(await running.outcome).toMatchObject({ code: 0 });
  });

  it.each([
    ['nowhere', /^MODEL_REPOSITORY="nowhere": \/.*\/nowhere does not exist\.\n$/],
    [
      'README.md',
      /^MODEL_REPOSITORY="README\.md": The model repository \/.*\/README\.md is not a folder\.\n$/,
    ],
  ])('ends with one sentence where %s is no folder of models', async (path, sentence) => {
    const { running } = await start([], { MODEL_REPOSITORY: path });
    const { code, stdout, stderr } = await running.outcome;
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(sentence)]);
  });

  it.each(['0.0.0.0', OTHER_ADDRESS])('listens on %s when it is asked to', async (address) => {
    const { running, port } = await start(['--host', address]);
    const name = address === '0.0.0.0' ? 'localhost' : address;
    expect(await running.seen(/Ternion serves .*/)).toBe(`Ternion serves 2 models at http://${name}:${port}`);
    expect(await canConnect(port, OTHER_ADDRESS)).toBe(true);
    expect(await canConnect(port, '::1')).toBe(false);
    running.process.kill('SIGTERM');
    expect(await running.outcome).toMatchObject({ code: 0 });
  });

  it.each([
    [['--hots', '0.0.0.0'], /^Unknown option '--hots'/],
    [['--host', 'no.such.host.invalid'], /^no\.such\.host\.invalid:\d+ cannot be used/m],
  ])('does not start with %j', async (args, text) => {
    const { code, stdout, stderr } = await (await start(args)).running.outcome;
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(text)]);
  });
});

describe('the function in the functions framework', () => {
  it('is reached on all addresses, as a container must be', async () => {
    const host = await openFunctionsFramework('local');
    onTestFinished(() => host.close());
    expect(await canConnect(host.port, OTHER_ADDRESS)).toBe(true);
    expect(await canConnect(host.port, '::1')).toBe(true);
  });
});
