import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../contracts/exchanges.ts';
import {
  comparable,
  type DocumentedServer,
  type DocumentedShell,
  openDocumentedShell,
  readBlocks,
  readExchanges,
} from '../support/documented-commands.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import { sendOverHttp } from '../support/hosts/test-host.ts';
import { PROJECT } from '../support/project.ts';

import type { Counterpart } from './counterpart.ts';
import { folderOf } from './installation.ts';

/** What a script writes: a model that it has exported to a folder of that name, and the answers of its library. */
interface Exported {
  readonly name: string;
  /** Whether `reference.json` has requests, which `ternion add` has sent then. */
  readonly hasReferences: boolean;
  readonly request: object;
  readonly predictions: readonly unknown[];
  readonly probabilities?: readonly Readonly<Record<string, number>>[];
}

/** Numbers of float32 and float64 differ in the last digits, sums of many trees in a few more. */
const TOLERANCE = 1e-4;

/** Exports models by `python/ternion_export.py`, publishes and serves them, and compares answers with those of Python. */
export function describeExports(
  counterpart: Counterpart,
  scripts: readonly string[],
  names: readonly string[],
): void {
  describe('models that ternion_export.py writes', () => {
    let reader: Reader;
    let exported: readonly Exported[];

    beforeAll(async () => {
      reader = await openReader(counterpart);
      for (const script of scripts)
        await reader.python([join(import.meta.dirname, counterpart.name, script), reader.folder]);
      exported = JSON.parse(await readFile(join(reader.folder, 'answers.json'), 'utf8'));
      for (const { name } of exported) await reader.shell.run(`npx ternion add exports/${name} -r my-models`);
      await reader.serve();
    }, 600_000);
    afterAll(() => reader?.close());

    it('are all there', () => {
      expect(exported.map(({ name }) => name)).toEqual(names);
    });

    it.each(names)('answer as the library does: %s', async (name) => {
      const { request, predictions, probabilities, hasReferences } =
        exported.find((each) => each.name === name) ?? ({ predictions: [] } as never);
      const { body } = await sendOverHttp(reader.port, post(`/models/${name}/predict`, request));
      const answer: { predictions: unknown[] } = JSON.parse(body.toString());
      expect(answer.predictions).toEqual(
        predictions.map((prediction, row) =>
          expect.objectContaining({
            ...(isRow(prediction) ? close(prediction) : { prediction: closeTo(prediction) }),
            ...(probabilities && { probabilities: close(probabilities[row]) }),
          }),
        ),
      );
      const files = await readFile(join(reader.folder, 'exports', name, 'reference.json')).catch(
        () => undefined,
      );
      expect(files !== undefined).toBe(hasReferences);
    });
  });
}

/** Whether it is what the graph gives for a row, by the names of the graph. */
function isRow(prediction: unknown): prediction is Readonly<Record<string, unknown>> {
  return typeof prediction === 'object' && prediction !== null && !Array.isArray(prediction);
}

function close(values: Readonly<Record<string, unknown>> = {}) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, closeTo(value)]));
}

function closeTo(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closeTo);
  if (typeof value !== 'number') return value;
  const digits = -Math.log10(2 * TOLERANCE * Math.max(1, Math.abs(value)));
  return expect.closeTo(value, digits);
}

/**
 * Runs the Python of walks of docs/models.md with its commands, and compares the answers with those of the page.
 *
 * @param titles of the walks
 * @param isExact whether training gives the same model on every machine; else the labels are compared
 */
export function describeWalks(counterpart: Counterpart, titles: readonly string[], isExact: boolean): void {
  describe('walks of docs/models.md', () => {
    let reader: Reader;
    let walks: readonly string[];

    beforeAll(async () => {
      const page = await readFile(join(PROJECT, 'docs/models.md'), 'utf8');
      const all = page.split(/^(?=## )/m);
      walks = titles.flatMap((title) => all.filter((walk) => walk.startsWith(`## ${title}\n`)));
      reader = await openReader(counterpart);
      for (const walk of walks) {
        for (const block of readBlocks(walk, 'python')) await reader.python(['-c', block]);
        const commands = readBlocks(walk, 'sh').filter((block) => !block.startsWith('curl'));
        for (const command of commands) await reader.shell.run(command);
      }
      await reader.serve();
    }, 600_000);
    afterAll(() => reader?.close());

    it('are all on the page', () => {
      expect(walks).toHaveLength(titles.length);
    });

    it.each(titles.map((title, index) => [title, index] as const))('%s', async (_, index) => {
      const exchanges = readExchanges(walks[index] ?? '');
      expect(exchanges.length).toBeGreaterThan(0);
      for (const { command, answer } of exchanges) {
        const given = comparable(await reader.shell.run(command));
        if (isExact) expect(given).toEqual(comparable(answer));
        else expect(labelsIn(given)).toEqual(labelsIn(comparable(answer)));
      }
    });
  });
}

function labelsIn(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value: unknown) =>
    typeof value === 'number' ? undefined : key === 'top_5' ? Object.keys(value ?? {}).sort() : value,
  );
}

/** A folder like that of a reader of the page, who works in the folder of the project. */
interface Reader {
  readonly folder: string;
  readonly port: number;
  readonly shell: DocumentedShell;
  python(args: readonly string[]): Promise<void>;
  /** Serves `my-models`. */
  serve(): Promise<void>;
  close(): Promise<void>;
}

async function openReader(counterpart: Counterpart): Promise<Reader> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-exports-'));
  const port = await findFreePort();
  const shell = await openDocumentedShell(port, folder);
  await mkdir(join(folder, 'exports'));
  await symlink(join(PROJECT, 'examples'), join(folder, 'examples'));
  await cp(join(PROJECT, 'python'), join(folder, 'python'), { recursive: true });
  let server: DocumentedServer | undefined;
  const env = {
    ...process.env,
    PYTHONPATH: 'python',
    USE_TF: '0',
    CUDA_VISIBLE_DEVICES: '',
    TF_CPP_MIN_LOG_LEVEL: '3',
  };
  return {
    folder,
    port,
    shell,
    python: async (args) => {
      const program = join(folderOf(counterpart), 'bin/python');
      await promisify(execFile)(program, args, { cwd: folder, env, maxBuffer: 2 ** 26 });
    },
    serve: async () => {
      const command = 'npx ternion serve --repository my-models';
      server = await shell.serve(command, /Ternion serves/, { PORT: String(port) });
    },
    close: async () => {
      await server?.stop();
      await shell.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
