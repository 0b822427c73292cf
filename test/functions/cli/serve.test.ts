import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request as sendRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { canConnect, OTHER_ADDRESS } from '../../support/hosts/can-connect.ts';
import { countingToStop } from '../../support/loops.ts';
import { type Running, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

const BODY = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });

async function startServer(args: readonly string[] = []): Promise<{ running: Running; port: number }> {
  const running = startCommand(['serve', '--port', '0', ...args]);
  onTestFinished(() => {
    running.process.kill('SIGKILL');
  });
  const url = await running.seen(/http:\/\/localhost:\d+/);
  return { running, port: Number(new URL(url).port) };
}

/** One prediction; rejects if the connection is lost before the answer. */
async function predict(
  port: number,
  agent: Agent,
  host = '127.0.0.1',
): Promise<{ prediction: string; connection: string }> {
  const outgoing = sendRequest({ host, port, path: '/predict', method: 'POST', agent });
  outgoing.end(BODY);
  const [incoming] = await once(outgoing, 'response');
  const answer = JSON.parse(await text(incoming));
  return { prediction: answer.prediction, connection: incoming.headers.connection };
}

const MODEL_NAMED =
  /^models\/iris\/1 is a model, not a repository of models\. .*:\n {2}ternion add models\/iris\/1 -r models\n {2}ternion serve -r models\n$/;

describe('ternion serve', () => {
  it('says where it serves, answers, and ends at a signal', async () => {
    const { running, port } = await startServer();
    const agent = new Agent({ keepAlive: true });
    expect(await predict(port, agent)).toEqual({ prediction: 'setosa', connection: 'keep-alive' });
    agent.destroy();
    running.process.kill('SIGINT');
    const { code, stderr } = await running.outcome;
    expect([code, stderr]).toEqual([
      0,
      'SIGINT: finishing the requests in progress; a second signal stops it at once.\n',
    ]);
  });

  it('says where its pages are, and how to call each model', async () => {
    const { running, port } = await startServer();
    const url = `http://localhost:${port}`;
    await running.seen(/models\/iris\/predict.*\n/);
    running.process.kill('SIGINT');
    const { stdout } = await running.outcome;
    expect(stdout).toContain(`\n  playground ${url}/  docs ${url}/docs\n`);
    const [, body = ''] =
      /models\/iris\/predict -H 'content-type: application\/json' -d '(.*)'\n/.exec(stdout) ?? [];
    expect(Object.keys(JSON.parse(body))).toEqual(['features']);
    expect(stdout).toContain(`\n  curl -s ${url}/models/digits/predict -H`);
  });

  it.each([
    [[], /^$/],
    [['--log'], /"message":"model loaded".*"message":"request"/s],
  ])('with %j logs requests as %s', async (args, log) => {
    const { running, port } = await startServer(args);
    await running.seen(/models\/iris\/predict.*\n/);
    expect(await predict(port, new Agent({ keepAlive: false }))).toMatchObject({ prediction: 'setosa' });
    running.process.kill('SIGINT');
    const { stdout } = await running.outcome;
    expect(
      stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .join('\n'),
    ).toMatch(log);
  });

  it.each(['models/iris', './models/iris/'])(
    'refuses the folder of a model instead of a repository: %s',
    async (path) => {
      const { code, stderr } = await startCommand(['serve', '--port', '0', '-r', path]).outcome;
      expect([code, stderr]).toEqual([
        2,
        `${path} is a model with the versions 1, 2, not a repository: serve models.\n`,
      ]);
    },
  );

  it('serves a repository without models, and one whose model has the name of a version', async () => {
    const repository = await temporaryFolder();
    for (const file of ['', '7/1/model.onnx']) {
      if (file !== '') await writeFiles(repository, { [file]: countingToStop });
      const { running } = await startServer(['-r', repository]);
      running.process.kill('SIGINT');
      expect((await running.outcome).code).toBe(0);
    }
  });

  it.each([['saved_model.pb'], ['net/saved_model.pb'], ['net/1/saved_model.pb']])(
    'says what a repository without models holds instead, in %s',
    async (file) => {
      const repository = await temporaryFolder();
      await writeFiles(repository, { [file]: 'x' });
      const { running } = await startServer(['-r', repository]);
      await running.seen(/its .*\n/);
      running.process.kill('SIGINT');
      expect((await running.outcome).stdout).toContain(
        `  its ${file} is a TensorFlow SavedModel, not an ONNX model; export it first: `,
      );
    },
  );

  it.each([[['-r']], [[]]])('refuses a model of another framework, after %j', async (options) => {
    const path = join(await temporaryFolder(), 'forest.pkl');
    await writeFile(path, 'x');
    const { code, stderr } = await startCommand(['serve', '--port', '0', ...options, path]).outcome;
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`"${path}" is a Python pickle, not an ONNX model; export it first: `),
    ]);
  });

  it('answers others after a request that would keep a loop running forever', async () => {
    const repository = await temporaryFolder();
    await writeFiles(repository, { 'm/1/model.onnx': countingToStop });
    const { port } = await startServer(['-r', repository]);
    const url = `http://127.0.0.1:${port}`;
    const ask = async (stop: number) => {
      const body = JSON.stringify({ inputs: { x: [0.5], stop } });
      const answer = await fetch(`${url}/models/m/predict`, { method: 'POST', body });
      return [answer.status, await answer.json()];
    };
    expect(await ask(1e300)).toEqual([
      400,
      expect.objectContaining({
        error: 'The model takes more than 1048576 loop iterations for these inputs, which is the limit.',
      }),
    ]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await ask(99_999)).toEqual([200, expect.objectContaining({ outputs: { y: [1.5707964] } })]);
  });

  it('loses no request when it gets a signal while its clients send', async () => {
    const { running, port } = await startServer(['--grace', '2']);
    let isOver = false;
    let answered = 0;
    const failures: unknown[] = [];
    const clients = Array.from({ length: 8 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (!isOver) {
        try {
          const { connection } = await predict(port, agent);
          answered++;
          // The server has closed the connection, so a client would now use another one.
          if (connection === 'close') break;
          await wait(1);
        } catch (error) {
          failures.push(error);
          break;
        }
      }
      agent.destroy();
    });
    await wait(300);
    running.process.kill('SIGTERM');
    const { code } = await running.outcome;
    isOver = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(8);
    expect(code).toBe(0);
  });

  it('answers a request whose body is still on its way when the signal comes', async () => {
    const { running, port } = await startServer(['--grace', '1']);
    const outgoing = sendRequest({ host: '127.0.0.1', port, path: '/predict', method: 'POST' });
    outgoing.write(BODY.slice(0, 10));
    await wait(100);
    running.process.kill('SIGTERM');
    await wait(100);
    outgoing.end(BODY.slice(10));
    const [incoming] = await once(outgoing, 'response');
    expect(JSON.parse(await text(incoming))).toMatchObject({ prediction: 'setosa' });
    expect((await running.outcome).code).toBe(0);
  });

  it('answers connections that come while it ends', async () => {
    const { running, port } = await startServer(['--grace', '1']);
    const answers = Array.from({ length: 200 }, () => predict(port, new Agent({ keepAlive: false })));
    running.process.kill('SIGTERM');
    const late = await wait(200).then(() => predict(port, new Agent({ keepAlive: true })));
    expect(late).toEqual({ prediction: 'setosa', connection: 'close' });
    expect(new Set((await Promise.all(answers)).map(({ prediction }) => prediction))).toEqual(
      new Set(['setosa']),
    );
    expect((await running.outcome).code).toBe(0);
  });

  it('does not wait for clients that never send a complete request', async () => {
    const { running, port } = await startServer(['--grace', '0']);
    const sockets = ['POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{', 'GET / HT', ''].map(
      (start) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(start);
        return socket;
      },
    );
    await wait(100);
    running.process.kill('SIGTERM');
    expect((await running.outcome).code).toBe(0);
    for (const socket of sockets) socket.destroy();
  });

  it('ends at once at a second signal', async () => {
    const { running } = await startServer(['--grace', '60']);
    running.process.kill('SIGTERM');
    await wait(100);
    running.process.kill('SIGTERM');
    await running.outcome;
    expect(running.process.signalCode).toBe('SIGTERM');
  });

  it.each([
    [
      ['-r', 'no-such-folder'],
      1,
      /^There is no folder "no-such-folder" to serve models from\. .*:\n {2}ternion add <model\.onnx or folder> -r no-such-folder\nOr name another repository with --repository\.\n$/,
    ],
    [['models/iris/1'], 2, MODEL_NAMED],
    [
      ['models/iris/1/model.onnx'],
      2,
      /^models\/iris\/1\/model\.onnx is a model, not a repository of models\. /,
    ],
    [['-r', 'models/iris/1'], 2, MODEL_NAMED],
    [['models'], 2, /^ternion serve takes no argument; .*: ternion serve --repository models\n$/],
    [['nowhere'], 2, /^ternion serve takes no argument; .*: ternion serve --repository <folder or URL>\n$/],
    [['s3://bucket/models', 'x'], 2, /ternion serve --repository s3:\/\/bucket\/models\n$/],
    [['-r', 'package.json'], 1, /package\.json is not a folder/],
    [['--host', 'no.such.host.invalid'], 1, /no\.such\.host\.invalid:0 cannot be used/],
  ])('does not start with %j', async (args, code, text) => {
    const outcome = await startCommand(['serve', '--port', '0', ...args]).outcome;
    expect([outcome.code, outcome.stdout, outcome.stderr]).toEqual([code, '', expect.stringMatching(text)]);
  });

  it('answers what is not HTTP with JSON', async () => {
    const { port } = await startServer();
    const socket = connect(port, '127.0.0.1');
    socket.write('HELLO\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/json\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: 'The request is not valid HTTP.',
    });
  });

  it.each([
    [[], '127.0.0.1', OTHER_ADDRESS],
    [[], '::1', OTHER_ADDRESS],
    [['--host', ''], '::1', OTHER_ADDRESS],
    [['--host', '::1'], '::1', '127.0.0.1'],
    [['--host', '127.0.0.1'], '127.0.0.1', '::1'],
  ])('with %j listens on %s and not on %s', async (args, address, other) => {
    const { port } = await startServer(args);
    expect(await canConnect(port, address)).toBe(true);
    expect(await canConnect(port, other)).toBe(false);
  });

  it('listens on all addresses when it is asked to', async () => {
    const { port } = await startServer(['--host', '::']);
    for (const address of ['127.0.0.1', OTHER_ADDRESS, '::1']) {
      expect(await canConnect(port, address), address).toBe(true);
    }
  });

  it('does not start if another server has one of the addresses of localhost', async () => {
    const other = createServer().listen(0, '::1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { code, stderr } = await startCommand(['serve', '--port', String(port)]).outcome;
    expect([code, stderr]).toEqual([1, expect.stringContaining(`localhost:${port} is already in use`)]);
  });

  it('ends connections on both addresses of localhost without losing a request', async () => {
    const { running, port } = await startServer(['--grace', '1']);
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const ask = () => predict(port, agent, '::1');
    expect(await ask()).toEqual({ prediction: 'setosa', connection: 'keep-alive' });
    running.process.kill('SIGTERM');
    await wait(200);
    expect(await ask()).toEqual({ prediction: 'setosa', connection: 'close' });
    expect((await running.outcome).code).toBe(0);
  });

  it('says so when the port is taken', async () => {
    const { port } = await startServer();
    const { code, stderr } = await startCommand(['serve', '--port', String(port)]).outcome;
    expect([code, stderr]).toEqual([
      1,
      `localhost:${port} is already in use; choose another port with --port or PORT (EADDRINUSE).\n`,
    ]);
  });
});
