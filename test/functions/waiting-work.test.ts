import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createHttpFunction } from '../../functions/http-function.ts';
import { startServer } from '../../functions/server.ts';
import { createWaitingWork } from '../../functions/waiting-work.ts';
import type { App } from '../../shared/app.ts';
import { BytesResponse } from '../../shared/http/bytes.ts';
import type { RequestContext } from '../../shared/http/context.ts';
import { createTestHost } from '../support/hosts/in-process.ts';
import { sendOverHttp } from '../support/hosts/test-host.ts';
import type { LambdaOptions } from '../support/lambda-environment.ts';
import { openLambdaFunction } from '../support/lambda-function.ts';
import { PROJECT } from '../support/project.ts';

describe('work that waits', () => {
  it('is all done at the same time, and failures are reported', async () => {
    const order: string[] = [];
    const { waitUntil, run, isEmpty } = createWaitingWork();
    expect(isEmpty()).toBe(true);
    waitUntil(() => wait(40).then(() => void order.push('slow')), { budgetMs: 10_000 });
    waitUntil(() => Promise.reject(new Error('broken')), { budgetMs: 10_000 });
    waitUntil(() => wait(10).then(() => void order.push('quick')), { budgetMs: 10_000 });
    expect([isEmpty(), order]).toEqual([false, []]);
    const errors: unknown[] = [];
    await run((error) => errors.push(error));
    expect([order, errors, isEmpty()]).toEqual([['quick', 'slow'], [new Error('broken')], true]);
  });

  it('is aborted when its budget is used up, and no longer awaited', async () => {
    const { waitUntil, run } = createWaitingWork();
    let given: AbortSignal | undefined;
    waitUntil(
      (signal) => {
        given = signal;
        return new Promise(() => undefined);
      },
      { budgetMs: 20 },
    );
    const errors: unknown[] = [];
    await run((error) => errors.push(error));
    expect([given?.aborted, String(errors[0])]).toEqual([
      true,
      'Error: work after an answer took more than its budget of 20 ms',
    ]);
  });
});

/** A host whose requests leave work, and which records when the work starts and ends. */
function openHost(notes: string[], workMs: number) {
  const host = createTestHost();
  const fetch: App['fetch'] = (_, context: RequestContext) => {
    const work = async () => {
      notes.push('begins');
      await wait(workMs);
      notes.push('is over');
    };
    context.waitUntil(work, { budgetMs: 10_000 });
    return Promise.resolve(new BytesResponse(Buffer.from('answer'), { status: 200 }));
  };
  return { ...host, app: { ...host.app, fetch } };
}

const GET = { method: 'GET', path: '/', headers: {}, body: Buffer.of() };

describe('a server', () => {
  it('works after the answer, and does not end before that is done', async () => {
    const notes: string[] = [];
    const server = await startServer(openHost(notes, 300), { port: 0, hostname: '127.0.0.1' });
    const { status } = await sendOverHttp(Number(new URL(server.url).port), GET);
    expect([status, notes.includes('is over')]).toEqual([200, false]);
    await server.close(0);
    expect(notes).toEqual(['begins', 'is over']);
  });

  it('works before the answer if the host gives it no time after it', async () => {
    const notes: string[] = [];
    const host = openHost(notes, 50);
    const handle = createHttpFunction(host, { isFrozen: true });
    const server = await startServer(host, { port: 0, hostname: '127.0.0.1', handle });
    await sendOverHttp(Number(new URL(server.url).port), GET);
    expect(notes).toEqual(['begins', 'is over']);
    await server.close(0);
  });
});

/** A function whose requests leave work of a given duration, and which records what it does. */
const FUNCTION = {
  'index.mjs': `
    import { appendFileSync } from 'node:fs';
    import { join } from 'node:path';
    import { setTimeout as wait } from 'node:timers/promises';
    import { createLambdaHandler } from '${PROJECT}/functions/aws/handler.ts';
    import { registerExtension } from '${PROJECT}/functions/aws/extension.ts';
    const note = (text) => appendFileSync(join(import.meta.dirname, 'notes'), text + '\\n');
    const fetch = async (request, context) => {
      const { features: [workMs, budgetMs] } = await request.json();
      const work = async () => {
        note('begins');
        await wait(workMs);
        note('is over');
      };
      if (workMs > 0) context.waitUntil(work, { budgetMs });
      note('answers');
      return Response.json({ left: context.deadlineMs - performance.now() });
    };
    const runWaitingWork = ({ waitingWork }) => waitingWork.run((error) => note(error.message));
    const api = process.env.API ?? process.env.AWS_LAMBDA_RUNTIME_API;
    const extension = await registerExtension(api, (error) => note('without an extension'));
    export const handler = createLambdaHandler({ app: { fetch }, runWaitingWork }, extension);`,
};

async function openFunction(options: Partial<LambdaOptions> = {}) {
  const opened = await openLambdaFunction(FUNCTION, options);
  const notes = async () =>
    (await readFile(join(opened.folder, 'notes'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
  return { ...opened, notes };
}

describe('a function of Lambda', () => {
  it('answers first, and is frozen when the work is done', async () => {
    const { lambda, ask, notes } = await openFunction();
    expect(await ask({ features: [400, 10_000] })).toMatchObject([false, { left: expect.any(Number) }]);
    expect(await notes()).not.toContain('is over');
    await lambda.frozen();
    expect(await notes()).toEqual(['answers', 'begins', 'is over']);
    await ask({ features: [0, 0] });
    await lambda.frozen();
    expect(await notes()).toEqual(['answers', 'begins', 'is over', 'answers']);
  });

  it('takes the next event when the budget of the work is used up', async () => {
    const { lambda, ask, notes } = await openFunction();
    await ask({ features: [60_000, 50] });
    await lambda.frozen();
    expect(await notes()).toEqual([
      'answers',
      'begins',
      'work after an answer took more than its budget of 50 ms',
    ]);
    expect((await ask({ features: [0, 0] }))[0]).toBe(false);
  });

  it('is not held open by an event that fails', async () => {
    const { lambda, ask } = await openFunction();
    expect(await ask({ Records: [] })).toMatchObject([true, { errorType: 'UnknownEventError' }]);
    await lambda.frozen();
    expect((await ask({ features: [0, 0] }))[0]).toBe(false);
  });

  it('works before the answer if the extension is not registered', async () => {
    const { lambda, ask, notes } = await openFunction({ environment: { API: '127.0.0.1:1' } });
    await ask({ features: [50, 10_000] });
    expect(await notes()).toEqual(['without an extension', 'answers', 'begins', 'is over']);
    await lambda.frozen();
  });

  it('has its answers ready before its time is up', async () => {
    const { ask } = await openFunction({ timeoutMs: 3_000 });
    const [, { left }] = await ask({ features: [0, 0] });
    // 100 ms of that time are for sending.
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(2_900);
  });
});
