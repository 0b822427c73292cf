import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** What each store, and the step itself, has in its text. */
const MARKS = {
  step: 'is looked up, and cannot be sent',
  redis: 'HMGET',
  feast: 'get-online-features',
  dynamodb: 'BatchGetItem',
} as const;

/** The text of own code as `ternion` compiles it: its imports of `ternion` are those of the package, or of the source. */
async function compile(definitions: string, code: string): Promise<string> {
  const folder = await makeFolder({ 'ternion.config.ts': code });
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'ternion.config.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    alias: { ternion: join(PROJECT, definitions) },
  });
  return outputFiles[0]?.text ?? '';
}

describe.each(['functions/define.ts', 'dist/cli/define.mjs'])('own code with %s', (definitions) => {
  it('has nothing of the step "features" when it does not import it', async () => {
    const text = await compile(
      definitions,
      `import { defineConfig, defineProcessor, invalid, unavailable } from 'ternion';
      const before = () => { throw Math.random() > 0.5 ? invalid('a', 'b') : unavailable('c'); };
      export default defineConfig({ processors: [defineProcessor({ name: 'a', before })] });`,
    );
    expect(Object.values(MARKS).filter((mark) => text.includes(mark))).toEqual([]);
    expect(text.length).toBeLessThan(4_000);
  });

  it.each([
    ['redis', "redis({ url: process.env.REDIS_URL, key: 'customer:{id}' })", 36_000],
    ['feast', 'feast({ url: process.env.FEAST_URL })', 30_000],
    ['dynamodb', "dynamodb({ table: process.env.TABLE, key: 'id' })", 42_000],
  ] as const)('has only the store that it imports: %s', async (name, store, most) => {
    const text = await compile(
      definitions,
      `import { defineConfig, features, ${name} } from 'ternion';
      export default defineConfig({ processors: [features({ store: ${store} })] });`,
    );
    const found = Object.entries(MARKS).filter(([, mark]) => text.includes(mark));
    expect(found.map(([part]) => part)).toEqual(['step', name]);
    expect(text).not.toContain('zod');
    expect(text.length).toBeLessThan(most);
  });
});
