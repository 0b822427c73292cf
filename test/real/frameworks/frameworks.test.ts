import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Consumer, type Packed, packAll } from '../../bundles/npm/installed.ts';
import { get, post, raw } from '../../contracts/exchanges.ts';
import { describeHttpHost } from '../../contracts/http-host.ts';
import { FLOAT, identityModel } from '../../support/build-model.ts';
import { TEST_ENVIRONMENT } from '../../support/hosts/environment.ts';
import { PROJECT } from '../../support/project.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';
import { type MountedHost, makeProject, PREFIX, snippetWith, startProject, withoutVary } from './project.ts';

const run = promisify(execFile);
const FLOWER = { features: [5.1, 3.5, 1.4, 0.2] };
const SETOSA = { prediction: 'setosa', class_id: 0, model: 'iris' };

interface Framework {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The script of the server with its arguments. */
  readonly start: (port: number) => readonly string[];
  readonly build?: readonly string[];
  /** Whether the snippet is compiled as it is: Next does that itself. */
  readonly isTyped?: boolean;
  /** What it adds to `vary` of each answer. */
  readonly varies?: readonly string[];
  /** In what it differs from other hosts. */
  readonly differences?: Parameters<typeof describeHttpHost>[2];
}

/** A snippet of the page as a server on a port of its own. */
function serverOf(name: string, snippet: string, isTyped = true): Framework {
  if (!/\b3000\b/.test(snippet)) throw new Error('the snippet has another port');
  const source = snippet.replace(/\b3000\b/, 'Number(process.env.PORT)');
  return { name, files: { 'server.ts': source }, start: () => ['server.ts'], isTyped };
}

const NEXT = join('..', 'node_modules/next/dist/bin/next');
const EXPRESS = snippetWith("from 'express'");
const FRAMEWORKS: readonly Framework[] = [
  serverOf('Hono', snippetWith("from 'hono'")),
  serverOf('Express', EXPRESS),
  serverOf('Express 4', EXPRESS.replace("'express'", "'express4'"), false),
  { ...serverOf('Fastify', snippetWith("from 'fastify'")), differences: { answersItself: ['a bad escape'] } },
  {
    name: 'Next',
    files: {
      'app/ml/[[...path]]/route.ts': snippetWith('fetch as GET'),
      'app/hello/route.ts': "export const GET = () => new Response('hello');\n",
      'next.config.ts': snippetWith('NextConfig'),
    },
    differences: { answersItself: ['a bad escape', 'the playground compressed'], compressesItself: true },
    varies: [
      'rsc',
      'next-router-state-tree',
      'next-router-prefetch',
      'next-router-segment-prefetch',
      'Accept-Encoding',
    ],
    build: [NEXT, 'build'],
    start: (port) => [NEXT, 'start', '--port', String(port), '--hostname', '127.0.0.1'],
  },
];

/** The page has the repository. */
const { MODEL_REPOSITORY: _, ...ENVIRONMENT } = TEST_ENVIRONMENT;

let packed: Packed;
beforeAll(async () => {
  packed = await packAll();
});
afterAll(() => rm(packed.folder, { recursive: true, force: true }));

describe.each(FRAMEWORKS)(
  'Ternion in $name',
  ({ files, build, isTyped, start, differences, varies = [] }) => {
    let project: Consumer;
    const open = async (environment: Readonly<Record<string, string>>) =>
      await startProject(project.folder, start, environment);

    beforeAll(async () => {
      project = await makeProject(packed, files);
      if (build) {
        const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' };
        await run(process.execPath, build, { cwd: project.folder, env });
      }
    });
    afterAll(() => project?.remove());

    const openPlain = async () => withoutVary(await open(ENVIRONMENT), varies);
    describeHttpHost('as any other host of it', openPlain, differences);

    describe('below its prefix', () => {
      let host: MountedHost;
      beforeAll(async () => {
        await writeFiles(project.folder, {
          'models/echo/1/model.onnx': identityModel(FLOAT, ['n']),
          'models/echo/1/model.json': JSON.stringify({ task: 'tensor' }),
        });
        host = await open({});
      });
      afterAll(() => host?.close());

      it('leaves the routes of the server as they are', async () => {
        const hello = await fetch(`${host.url}/hello`);
        expect([hello.status, await hello.text()]).toEqual([200, 'hello']);
        const none = await host.sendOutside(get('/models/iris'));
        expect([none.status, none.headers['x-request-id']]).toEqual([404, undefined]);
        expect((await host.sendOutside(get('/mlx/models/iris'))).headers['x-request-id']).toBeUndefined();
      });

      it('says in JSON that there is nothing at a path below its prefix', async () => {
        const { status, headers, body } = await host.send(get('/nothing?a=b'));
        expect([status, headers['content-type']]).toEqual([404, 'application/json']);
        expect(JSON.parse(body.toString())).toMatchObject({
          error_code: 'ENDPOINT_NOT_FOUND',
          error: 'There is nothing at "/nothing"; GET / lists what there is.',
        });
      });

      it('answers HEAD and OPTIONS', async () => {
        const head = await host.send({ ...get('/models/iris'), method: 'HEAD' });
        expect([head.status, head.headers['content-type'], head.body.length]).toEqual([
          200,
          'application/json',
          0,
        ]);
        const options = await host.send({ ...get('/predict'), method: 'OPTIONS' });
        expect([options.status, options.headers.allow]).toEqual([204, 'POST, OPTIONS']);
      });

      it('reads a compressed body', async () => {
        const body = gzipSync(JSON.stringify(FLOWER));
        const type = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
        const answer = await host.send(raw('/models/iris/predict', body, type));
        expect(JSON.parse(answer.body.toString())).toMatchObject(SETOSA);
      });

      it.each([true, false])('passes on 8 MB in each direction, with a known length: %s', async (isSized) => {
        const values = new Float32Array(2 * 1024 ** 2).map((_value, index) => index);
        const parameters = { binary_data_size: values.byteLength };
        const json = JSON.stringify({
          inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length], parameters }],
          outputs: [{ name: 'y', parameters: { binary_data: true } }],
        });
        const body = Buffer.concat([Buffer.from(json), Buffer.from(values.buffer)]);
        const headers = {
          'content-type': 'application/octet-stream',
          'inference-header-content-length': String(json.length),
        };
        const path = '/v2/models/echo/infer';
        const {
          status,
          headers: answered,
          body: answer,
        } = await host.sendLarge(path, headers, body, isSized);
        expect(status, answer.subarray(0, 500).toString()).toBe(200);
        const at = Number(answered['inference-header-content-length']);
        expect(answer.subarray(at).equals(Buffer.from(values.buffer))).toBe(true);
      });

      it.each([true, false])('refuses a body over its limit, with a known length: %s', async (isSized) => {
        const body = Buffer.alloc(33 * 1024 ** 2, ' ');
        const { status, body: answer } = await host.sendLarge('/models/iris/predict', {}, body, isSized);
        expect(status).toBe(413);
        expect(JSON.parse(answer.toString())).toMatchObject({ error_code: 'PAYLOAD_TOO_LARGE' });
      });

      it('keeps answering after clients that left', async () => {
        const request = (length: number) =>
          `POST ${PREFIX}/models/iris/predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
        const whole = JSON.stringify(FLOWER);
        // In the middle of a small body, in the middle of a large one, and before the answer.
        for (const text of [
          `${request(100)}{"fea`,
          request(3e6) + ' '.repeat(2e6),
          request(whole.length) + whole,
        ]) {
          const socket = connect(host.port, '127.0.0.1');
          await once(socket, 'connect');
          await promisify((done: () => void) => socket.write(text, done))();
          await new Promise((resolve) => setTimeout(resolve, 20));
          socket.resetAndDestroy();
        }
        const answer = await host.send(post('/models/iris/predict', FLOWER));
        expect(JSON.parse(answer.body.toString())).toMatchObject(SETOSA);
        expect((await host.sendOutside(get('/hello'))).status).toBe(200);
        expect(host.output()).not.toMatch(/unhandled|uncaught/i);
      });

      it('has addresses below the prefix', async () => {
        const document = await host.send(get('/openapi.json'));
        const { servers } = JSON.parse(document.body.toString());
        const openapi = new URL(`${PREFIX}/openapi.json`, host.url);
        expect(servers.map(({ url }: { url: string }) => new URL(url, openapi).href)).toEqual([
          `${host.url}${PREFIX}/`,
        ]);
        const endpoint = await host.send(get('/api/2.0/serving-endpoints/iris'));
        expect(JSON.parse(endpoint.body.toString())).toMatchObject({
          endpoint_url: `${host.url}${PREFIX}/serving-endpoints/iris/invocations`,
        });
      });

      it('has the playground, and a page of all routes whose files are below the prefix', async () => {
        const browser = { headers: { accept: 'text/html' } };
        const playground = await fetch(`${host.url}${PREFIX}/`, browser);
        expect([playground.status, playground.headers.get('content-type')]).toEqual([
          200,
          'text/html; charset=utf-8',
        ]);
        expect(await playground.text()).toContain('<title>Ternion');
        const page = await fetch(`${host.url}${PREFIX}/docs`, browser);
        const links = [...(await page.text()).matchAll(/(?:href|src)="((?!data:|#)[^"]*)"/g)];
        const files = links.map(([, link = '']) => new URL(link, page.url));
        expect(files.length).toBeGreaterThan(2);
        for (const { href, pathname } of files) {
          expect(pathname).toMatch(/^\/ml\//);
          expect([href, (await fetch(href)).status]).toEqual([href, 200]);
        }
      });

      if (isTyped)
        it('has types that fit', async () => {
          const compilerOptions = {
            module: 'nodenext',
            target: 'es2024',
            strict: true,
            exactOptionalPropertyTypes: true,
            noEmit: true,
            skipLibCheck: true,
            types: ['node'],
            typeRoots: [join(folderOf(counterpart), 'node_modules/@types')],
          };
          const config = JSON.stringify({ compilerOptions, files: ['server.ts'] });
          await writeFile(join(project.folder, 'tsconfig.json'), config);
          const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
          const compiled = await run(process.execPath, [compiler], { cwd: project.folder }).catch(
            (failed: { stdout: string }) => failed,
          );
          expect(compiled.stdout).toBe('');
        });
    });
  },
);
