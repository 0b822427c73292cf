import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openLambdaFunction as open } from './lambda-function.ts';
import { MOST_ANSWER_BYTES, MOST_EVENT_BYTES } from './lambda-limits.ts';

const handler = (body: string, before = '') =>
  ({ 'index.mjs': `${before}\nexport const handler = async (event, context) => { ${body} };` }) as const;

describe('an environment', () => {
  it('hands over events with their id and their time, and answers as they are', async () => {
    const { lambda } = await open(
      handler('return { event, id: context.awsRequestId, left: context.getRemainingTimeInMillis() };'),
      { timeoutMs: 5_000 },
    );
    const { isError, payload, requestId } = await lambda.invoke({ text: 'ä€😀' });
    const { event, id, left } = JSON.parse(payload.toString());
    expect([isError, event, id]).toEqual([false, { text: 'ä€😀' }, requestId]);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5_000);
  });

  it('fails an event whose handler throws, and takes the next', async () => {
    const { ask } = await open(handler('if (event === 1) throw new RangeError("one"); return event;'));
    expect(await ask(1)).toMatchObject([true, { errorType: 'RangeError', errorMessage: 'one' }]);
    expect(await ask(2)).toEqual([false, 2]);
  });

  it('ends what takes too long, and starts again', async () => {
    const { lambda, ask } = await open(
      handler(
        'calls++; if (event === 1) await new Promise(() => setInterval(() => 0, 1000)); return calls;',
        'let calls = 0;',
      ),
      { timeoutMs: 3_000 },
    );
    expect(await ask(0)).toEqual([false, 1]);
    const { pid } = lambda.process;
    expect(await ask(1)).toMatchObject([
      true,
      {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/Task timed out after 3\.00 seconds$/),
      },
    ]);
    expect(await ask(0)).toEqual([false, 1]);
    expect(lambda.process.pid).not.toBe(pid);
  });

  it('fails an event whose process ends, and starts again', async () => {
    const { ask } = await open(handler('if (event === 1) process.exit(7); return event;'));
    expect(await ask(1)).toMatchObject([
      true,
      { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 7') },
    ]);
    expect(await ask(2)).toEqual([false, 2]);
  });

  it('gives code its time to load, and the time of an event in the second try', async () => {
    const slow = 'await new Promise((resolve) => setTimeout(resolve, 1500));';
    const { lambda, ask } = await open(handler('return 1;', slow), { initTimeoutMs: 1_000 });
    expect(lambda.init.failure).toMatchObject({ errorMessage: 'Init timed out after 1.00 seconds' });
    expect(await ask(0)).toEqual([false, 1]);
  });

  it('reports code that throws, each time it is tried', async () => {
    const { lambda, ask } = await open(handler('return 1;', 'throw new TypeError("at the start");'));
    const failure = { errorType: 'TypeError', errorMessage: 'at the start' };
    expect(lambda.init.failure).toEqual(failure);
    expect(await ask(0)).toEqual([true, failure]);
  });

  it('takes one event at a time, of 6 MB at most', async () => {
    const { lambda, ask } = await open(handler('return event.length;'));
    const event = (bytes: number) => Buffer.from(JSON.stringify('x'.repeat(bytes - 2)));
    expect(await ask(event(MOST_EVENT_BYTES))).toEqual([false, MOST_EVENT_BYTES - 2]);
    await expect(lambda.invoke(event(MOST_EVENT_BYTES + 1))).rejects.toMatchObject({ status: 413 });
    const first = lambda.invoke('abc');
    await expect(lambda.invoke('abc')).rejects.toMatchObject({ status: 429 });
    expect((await first).payload.toString()).toBe('3');
  });

  it('fails an answer of more than 6 MB', async () => {
    const { ask, lambda } = await open(handler('return "x".repeat(event);'));
    const { isError, payload } = await lambda.invoke(MOST_ANSWER_BYTES - 2);
    expect([isError, payload.length]).toEqual([false, MOST_ANSWER_BYTES]);
    expect(await ask(MOST_ANSWER_BYTES - 1)).toMatchObject([
      true,
      { errorType: 'Function.ResponseSizeTooLarge' },
    ]);
    expect(await ask(1)).toEqual([false, 'x']);
  });

  it('stops all processes between events', async () => {
    const child = `
      import { appendFileSync } from 'node:fs';
      setInterval(() => appendFileSync('beats', '.'), 10);`;
    const start = `
      import { spawn } from 'node:child_process';
      let ticks = 0;
      setInterval(() => ticks++, 10);
      spawn(process.execPath, ['child.mjs'], { stdio: 'ignore' });`;
    const body = 'await new Promise((resolve) => setTimeout(resolve, event)); return ticks;';
    const { folder, lambda, ask } = await open({ ...handler(body, start), 'child.mjs': child });
    const beats = async () => (await stat(join(folder, 'beats'))).size;
    expect(await ask(1_000)).toEqual([false, expect.any(Number)]);
    const [, before] = await ask(0);
    await lambda.frozen();
    const beatsBefore = await beats();
    expect(beatsBefore).toBeGreaterThan(0);
    await wait(500);
    expect(await beats()).toBe(beatsBefore);
    const [, after] = await ask(0);
    // Without the stop it would have been 50.
    expect(after - before).toBeLessThan(10);
    await ask(200);
    expect(await beats()).toBeGreaterThan(beatsBefore);
  });

  it('ends a function without extensions at once', async () => {
    const start = `
      import { writeFileSync } from 'node:fs';
      process.on('SIGTERM', () => { writeFileSync('signal', ''); process.exit(0); });`;
    const { folder, lambda, ask } = await open(handler('return 1;', start));
    await ask(0);
    expect(await lambda.shutdown()).toEqual({ runtime: 'killed', extensions: {} });
    await expect(stat(join(folder, 'signal'))).rejects.toThrow('ENOENT');
  });

  it('takes a stream piece by piece, and the error at its end', async () => {
    const { lambda } = await open(
      { 'runtime.mjs': STREAMING_RUNTIME },
      { runtime: [process.execPath, 'runtime.mjs'] },
    );
    const whole = await lambda.invoke('whole');
    expect([whole.isError, whole.isStreamed, whole.contentType]).toEqual([false, true, 'text/plain']);
    expect(whole.payload.toString()).toBe('one two three ');
    expect(whole.chunks.map(({ bytes }) => bytes)).toEqual([4, 4, 6]);
    const broken = await lambda.invoke('broken');
    expect([broken.isError, broken.errorType]).toEqual([true, 'StreamError']);
    expect(broken.payload.toString()).toBe('one two three ');
  });
});

describe('an extension of its own process', () => {
  it('gets each event and the end, and is stopped in between', async () => {
    const start = `
      import { writeFileSync } from 'node:fs';
      process.on('SIGTERM', () => { writeFileSync('signal', ''); process.exit(0); });`;
    const { folder, lambda } = await open(
      { ...handler('return 1;', start), 'watch.mjs': extension('watch', ['INVOKE', 'SHUTDOWN']) },
      { extensions: { watch: [process.execPath, 'watch.mjs'] } },
    );
    const { requestId, isError } = await lambda.invoke(0);
    await lambda.frozen();
    expect(isError).toBe(false);
    expect(lambda.extensionPid('watch')).toEqual(expect.any(Number));
    expect(await lambda.shutdown()).toEqual({ runtime: 'exited', extensions: { watch: 'exited' } });
    const events = (await readFile(join(folder, 'watch.log'), 'utf8')).trim().split('\n');
    expect(events.map((line) => JSON.parse(line))).toMatchObject([
      { eventType: 'INVOKE', requestId, invokedFunctionArn: expect.stringContaining(':function:') },
      { eventType: 'SHUTDOWN', shutdownReason: 'spindown', deadlineMs: expect.any(Number) },
    ]);
    await stat(join(folder, 'signal'));
  });

  it('that does not end is killed', async () => {
    const { lambda } = await open(
      { ...handler('return 1;'), 'stay.mjs': extension('stay', ['SHUTDOWN'], false) },
      { extensions: { stay: [process.execPath, 'stay.mjs'] } },
    );
    await lambda.invoke(0);
    const startMs = performance.now();
    expect((await lambda.shutdown()).extensions).toEqual({ stay: 'killed' });
    expect(performance.now() - startMs).toBeGreaterThan(1_900);
  });

  it('that ends early fails the start', async () => {
    const { lambda } = await open(
      { ...handler('return 1;'), 'gone.mjs': 'process.exit(3);' },
      { extensions: { gone: [process.execPath, 'gone.mjs'] } },
    );
    expect(lambda.init.failure).toEqual({
      errorType: 'Extension.Crash',
      errorMessage: 'gone exited with error: exit status 3',
    });
  });
});

describe('an extension in the runtime', () => {
  const REGISTER = `
    const url = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension/';
    const register = async (name, events) => {
      const headers = name === undefined ? {} : { 'lambda-extension-name': name };
      const answer = await fetch(url + 'register', { method: 'POST', headers, body: JSON.stringify({ events }) });
      return [answer.status, (await answer.json()).errorType, answer.headers.get('lambda-extension-identifier')];
    };
    const next = (id) => fetch(url + 'event/next', { headers: { 'lambda-extension-identifier': id } });`;

  it('registers while the code loads, and gets events without the end', async () => {
    const start = `${REGISTER}
      const seen = [];
      const refused = [
        await register('inside', ['SHUTDOWN']), await register('inside', ['OTHER']), await register(undefined, []),
      ];
      const [status, , id] = await register('inside', ['INVOKE']);
      refused.push(await register('inside', ['INVOKE']));
      const listen = async () => { for (;;) seen.push((await (await next(id)).json()).eventType); };
      void listen();`;
    const { ask } = await open(
      handler('return [status, refused.map((each) => each.slice(0, 2)), seen];', start),
    );
    const refused = [
      [403, 'ShutdownEventNotSupportedForInternalExtension'],
      [403, 'Extension.InvalidEventType'],
      [403, 'Extension.InvalidExtensionName'],
      [403, 'Extension.AlreadyRegistered'],
    ];
    expect(await ask(0)).toMatchObject([false, [200, refused, expect.any(Array)]]);
    expect(await ask(0)).toMatchObject([false, [200, refused, expect.arrayContaining(['INVOKE'])]]);
  });

  it('cannot register later, nor ask without being known', async () => {
    const body = `
      const answer = await next('someone');
      return [await register('late', ['INVOKE']), answer.status, (await answer.json()).errorType];`;
    const { ask } = await open(handler(body, REGISTER));
    expect(await ask(0)).toEqual([
      false,
      [[403, 'Extension.RegistrationClosed', null], 403, 'Extension.UnknownExtensionIdentifier'],
    ]);
  });
});

/** An extension that writes down what it is sent. */
function extension(name: string, events: readonly string[], ends = true): string {
  return `
    import { appendFileSync } from 'node:fs';
    import { get } from 'node:http';
    import { json } from 'node:stream/consumers';
    const url = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension/';
    const registered = await fetch(url + 'register', {
      method: 'POST',
      headers: { 'lambda-extension-name': '${name}' },
      body: '${JSON.stringify({ events })}',
    });
    const headers = { 'lambda-extension-identifier': registered.headers.get('lambda-extension-identifier') };
    for (;;) {
      const event = await json(await new Promise((resolve) => get(url + 'event/next', { headers }, resolve)));
      appendFileSync('${name}.log', JSON.stringify(event) + '\\n');
      if (event.eventType !== 'SHUTDOWN') continue;
      ${ends ? 'process.exit(0);' : 'setInterval(() => 0, 1000); await new Promise(() => 0);'}
    }`;
}

/** A runtime of its own whose answers are streams; that of the event "broken" fails at its end. */
const STREAMING_RUNTIME = `
  import { get, request } from 'node:http';
  import { json, text } from 'node:stream/consumers';
  const url = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/';
  for (;;) {
    const incoming = await new Promise((resolve) => get(url + 'next', resolve));
    const event = await json(incoming);
    const id = incoming.headers['lambda-runtime-aws-request-id'];
    const answered = new Promise((resolve) => {
      const outgoing = request(url + id + '/response', {
        method: 'POST',
        headers: {
          'content-type': 'text/plain',
          'transfer-encoding': 'chunked',
          'lambda-runtime-function-response-mode': 'streaming',
          trailer: 'lambda-runtime-function-error-type',
        },
      }, resolve);
      const send = async () => {
        for (const word of ['one ', 'two ', 'three ']) {
          outgoing.write(word);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        if (event === 'broken') outgoing.addTrailers({ 'lambda-runtime-function-error-type': 'StreamError' });
        outgoing.end();
      };
      void send();
    });
    await text(await answered);
  }`;
