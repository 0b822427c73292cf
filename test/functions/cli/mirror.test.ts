import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';

const MODELS = join(PROJECT, 'models');

async function run(...args: readonly string[]) {
  return await startCommand(args, '').outcome;
}

/** A repository of this project's models, of which one is published and the others are only there. */
async function makeRepository(): Promise<string> {
  const folder = join(await temporaryFolder(), 'models');
  await cp(MODELS, folder, { recursive: true });
  await writeFile(join(folder, 'iris/deployment.json'), '{"aliases": {"champion": "1"}}');
  return folder;
}

describe('ternion push', () => {
  it('copies the version that a name, a number or an alias stands for, once', async () => {
    const from = await makeRepository();
    const to = join(await temporaryFolder(), 'other');
    const first = await run('push', 'iris@champion', to, '-r', from);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^iris\/1 is in .*other\/iris\/1 \(\d+ files?, .*\)\n$/);
    expect((await run('push', 'iris/1', to, '-r', from)).stdout).toMatch(
      /^iris\/1 was in .*other\/iris\/1 already\n$/,
    );
    const { code, stdout } = await run('push', 'iris', to, '-r', from, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'iris',
      version: '2',
      path: join(to, 'iris/2'),
      copied: true,
    });
    expect(await readFile(join(to, 'iris/2/model.onnx'))).toEqual(
      await readFile(join(MODELS, 'iris/2/model.onnx')),
    );
    expect(await run('verify', '-r', to)).toMatchObject({ code: 0 });
  });

  it('copies the live version by default', async () => {
    const from = await makeRepository();
    const to = join(await temporaryFolder(), 'other');
    expect(await run('promote', 'iris', '1', '-r', from, '--limit', 'accuracy=0.1')).toMatchObject({
      code: 0,
    });
    const { stdout } = await run('push', 'iris', to, '-r', from, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ model: 'iris', version: '1', copied: true });
  });

  it('replaces no other version, and says what there is', async () => {
    const from = await makeRepository();
    const to = await makeRepository();
    await rm(join(to, 'iris/2'), { recursive: true });
    await cp(join(to, 'iris/1'), join(to, 'iris/2'), { recursive: true });
    for (const [args, message] of [
      [['push', 'iris/2', to], /iris\/2 is another version than .*iris\/2, or is not complete/],
      [['push', 'iris/7', to], /has no "iris\/7"; the versions of iris are: 1, 2\./],
      [['push', 'iris@none', to], /has no "iris@none"; the versions of iris are: 1, 2\./],
      [['push', 'rose', to], /has no model "rose"\./],
      [['push', 'a/b/c', to], /has no model "a\/b\/c"\./],
    ] as const) {
      const { code, stderr } = await run(...args, '-r', from);
      expect([code, stderr], args.join(' ')).toEqual([1, expect.stringMatching(message)]);
    }
    expect(await run('push', 'iris', 'ftp://x', '-r', from)).toMatchObject({ code: 2 });
  });
});

describe('ternion mirror and ternion restore', () => {
  it('make a copy, and give back what is damaged', async () => {
    const from = await makeRepository();
    const mirror = join(await temporaryFolder(), 'mirror');
    const made = await run('mirror', mirror, '-r', from);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(
      /^written: .*iris\/deployment\.json\n3 versions copied .*, 0 there already\n$/,
    );
    const again = await run('mirror', mirror, '-r', from, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      copied: [],
      there: ['digits/1', 'iris/1', 'iris/2'],
      written: [],
      failed: [],
    });
    await writeFile(join(from, 'iris/2/model.onnx'), 'damaged');
    const restored = await run('restore', mirror, 'iris', '-r', from);
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(restored.stdout).toMatch(/^mended: .*iris\/2/);
    expect(await readFile(join(from, 'iris/2/model.onnx'))).toEqual(
      await readFile(join(MODELS, 'iris/2/model.onnx')),
    );
    expect(await run('verify', 'iris', '-r', from)).toMatchObject({ code: 0 });
  });

  it('say what does not fit', async () => {
    const from = await makeRepository();
    const to = await makeRepository();
    await cp(join(to, 'iris/1'), join(to, 'iris/2'), { recursive: true });
    const { code, stdout } = await run('mirror', to, '-r', from);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/has other files in its place: iris\/2/)]);
    expect(await run('mirror', from, '-r', from)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be copied to itself'),
    });
    expect(await run('restore', to, 'rose', '-r', from)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no model "rose"; its models are: digits, iris.'),
    });
    const unreachable = await run('mirror', 'az://models', '-r', from);
    expect(unreachable).toMatchObject({ code: 1, stdout: '' });
    expect(unreachable.stderr.match(/there is no account/g)).toHaveLength(1);
    expect(await run('mirror', to, '-r', join(from, 'nowhere'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere does not exist'),
    });
  });
});
