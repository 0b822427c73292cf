import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { createHeldBackNotes } from '../../../shared/registry/note-held-back.ts';
import { readHeldBack } from '../../../shared/releases/held-back.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { startS3Server } from '../../support/s3-server.ts';

const SIGNED = { by: 'ada', why: '', action: 'test' };

/** A model in S3 whose version 2 is live, and cannot be loaded. */
async function openReleased() {
  const server = await startS3Server({ files: { 'iris/1/model.onnx': '1', 'iris/2/model.onnx': '2' } });
  onTestFinished(() => server.close());
  const store = openS3Store('s3://models', server.client);
  const log = createReleaseLog(store);
  const promote = async (live: string) =>
    (await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live } }))).serving;
  const lines: string[] = [];
  let opened = 0;
  const note = createHeldBackNotes(
    async () => {
      opened += 1;
      return { store, instance: 'a' };
    },
    createLogger('warn', (line) => lines.push(line)),
  );
  const failed = { folder: 'iris', version: '2', reason: 'model.onnx is not a graph' };
  return { server, store, promote, note, failed, lines, opened: () => opened };
}

const revisionsOf = async ({ store }: Awaited<ReturnType<typeof openReleased>>) =>
  (await readHeldBack(store, 'iris')).map(({ revision }) => revision);

it('notes a version once for each change, and asks the store no more', async () => {
  const subject = await openReleased();
  const { server, promote, note, failed } = subject;
  const serving = await promote('2');
  await note({ ...failed, serving });
  server.requests.length = 0;
  await note({ ...failed, serving });
  expect(server.requests).toEqual([]);
  expect(await revisionsOf(subject)).toEqual([1]);

  await promote('1');
  await note({ ...failed, serving: await promote('2') });
  expect(await revisionsOf(subject)).toEqual([1, 3]);
  expect(subject.opened()).toBe(1);
});

it('tries again what it could not write', async () => {
  const subject = await openReleased();
  const { server, promote, note, failed, lines } = subject;
  const serving = await promote('2');
  server.addFault({
    when: ({ operation }) => operation === 'PutObject',
    times: 1,
    effect: { kind: 'refuse', status: 403, code: 'AccessDenied' },
  });
  await note({ ...failed, serving });
  expect(lines.map((line) => JSON.parse(line).model)).toEqual(['iris/2']);
  expect(await revisionsOf(subject)).toEqual([]);
  await note({ ...failed, serving });
  expect([await revisionsOf(subject), lines.length]).toEqual([[1], 1]);
});
