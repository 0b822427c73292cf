import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openLambdaEnvironment } from '../../support/lambda-environment.ts';
import { awsRuntime } from './runtime.ts';

const HANDLER = `
  export const handler = awslambda.streamifyResponse(async (event, stream) => {
    const answer = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { a: 'b' } });
    for (const word of ['one ', 'two ']) {
      answer.write(word);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    if (event === 'broken') throw new RangeError('in the middle');
    answer.end();
    await new Promise((resolve) => answer.on('finish', resolve));
  });`;

it('sees the streams of AWS as they are made, and their errors at the end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-lambda-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'index.mjs'), HANDLER);
  const lambda = await openLambdaEnvironment({ folder, runtime: awsRuntime() });
  onTestFinished(async () => void (await lambda.shutdown()));

  const whole = await lambda.invoke('whole');
  expect([whole.isError, whole.isStreamed, whole.contentType]).toEqual([
    false,
    true,
    'application/vnd.awslambda.http-integration-response',
  ]);
  const [prelude = '', body] = whole.payload.toString().split('\0'.repeat(8));
  expect([JSON.parse(prelude), body]).toEqual([{ statusCode: 200, headers: { a: 'b' } }, 'one two ']);
  expect(whole.chunks.at(-1)?.atMs).toBeGreaterThan(150);

  const broken = await lambda.invoke('broken');
  expect([broken.isError, broken.errorType]).toEqual([true, 'RangeError']);
  expect(broken.payload.toString()).toContain('one two ');
});
