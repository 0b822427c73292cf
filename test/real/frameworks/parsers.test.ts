import { rm } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Consumer, type Packed, packAll } from '../../bundles/npm/installed.ts';
import { form, post, raw } from '../../contracts/exchanges.ts';
import type { TestRequest, TestResponse } from '../../support/hosts/test-host.ts';
import { type MountedHost, makeProject, startProject } from './project.ts';

// What docs/library.md says about servers that read a body before Ternion gets it.

const HELLO = `
const ternion = createApp({ repository: 'models', basePath: '/ml', environment: { DEFAULT_MODEL: 'iris' } });`;

const express = (parsers: string) => `
import express from 'express';
import { createApp } from 'ternion';
${HELLO}
const app = express();
app.use(${parsers});
app.use('/ml', ternion.node);
app.get('/hello', (_request, response) => void response.send('hello'));
app.listen(Number(process.env.PORT));
`;

const SERVERS = {
  'json.ts': express('express.json()'),
  'json4.ts': express('express.json()').replace("'express'", "'express4'"),
  'forms.ts': express(
    'express.urlencoded(), express.raw({ type: "application/octet-stream" }), express.text({ type: "text/csv" })',
  ),
  'fastify.ts': `
import { fastify } from 'fastify';
import { createApp } from 'ternion';
${HELLO}
const app = fastify();
app.all('/ml/*', async (request, reply) => {
  reply.hijack();
  await ternion.node(request.raw, reply.raw);
});
app.get('/hello', async () => 'hello');
await app.listen({ port: Number(process.env.PORT) });
`,
  'hono.ts': `
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createApp } from 'ternion';
${HELLO}
const app = new Hono();
app.use(async (c, next) => {
  await (c.req.header('x-clone') ? c.req.raw.clone() : c.req).text();
  await next();
});
app.all('/ml/*', (c) => ternion.fetch(c.req.raw));
app.get('/hello', (c) => c.text('hello'));
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
`,
};

const FLOWER = { features: [5.1, 3.5, 1.4, 0.2] };
const JSON_REQUEST = post('/predict', FLOWER);
const WRONG = post('/predict', { features: [5.1] });
/** What `curl -d` sends. */
const CURL = raw('/predict', JSON.stringify(FLOWER), { 'content-type': 'application/x-www-form-urlencoded' });
const FORM = form('/models/iris/predict', 'file', Buffer.from('a,b'));
const COMPRESSED = raw('/predict', gzipSync(JSON.stringify(FLOWER)), {
  'content-type': 'application/json',
  'content-encoding': 'gzip',
});
const CSV = raw('/endpoints/iris/invocations', '5.1,3.5,1.4,0.2', { 'content-type': 'text/csv' });
const LARGE = raw('/predict', JSON.stringify(FLOWER) + ' '.repeat(200_000), {
  'content-type': 'application/json',
});

const TAKEN =
  /"error":"The server has read the body of this request before Ternion could: mount Ternion before/;
const SETOSA = /"prediction":"setosa"/;
const NO_BODY: TestRequest = { ...JSON_REQUEST, headers: {}, body: Buffer.alloc(0) };

let packed: Packed;
let project: Consumer;
beforeAll(async () => {
  packed = await packAll();
  project = await makeProject(packed, SERVERS);
});
afterAll(async () => {
  await project?.remove();
  await rm(packed.folder, { recursive: true, force: true });
});

describe.each<[string, readonly (readonly [string, TestRequest, number, RegExp])[]]>([
  [
    'json.ts',
    [
      ['JSON', JSON_REQUEST, 200, SETOSA],
      ['wrong values', WRONG, 400, /"error":"Field \\"features\\" has 1 value; expected 4/],
      ['compressed JSON', COMPRESSED, 200, SETOSA],
      ['what curl sends', CURL, 200, SETOSA],
      ['no body', NO_BODY, 400, /"error_code":"BAD_REQUEST"|INVALID_PARAMETER_VALUE/],
      ['large JSON', LARGE, 413, /PayloadTooLargeError|Payload Too Large/],
    ],
  ],
  [
    'json4.ts',
    [
      ['JSON', JSON_REQUEST, 200, SETOSA],
      ['what curl sends', CURL, 200, SETOSA],
      ['no body', NO_BODY, 400, /"error_code":"BAD_REQUEST"|INVALID_PARAMETER_VALUE/],
    ],
  ],
  [
    'forms.ts',
    [
      ['JSON', JSON_REQUEST, 200, SETOSA],
      ['CSV as a text', CSV, 200, /^\[\[7\.11/],
      ['what curl sends', CURL, 500, TAKEN],
    ],
  ],
  [
    'fastify.ts',
    [
      ['JSON', JSON_REQUEST, 500, TAKEN],
      ['a form', FORM, 415, /FST_ERR_CTP_INVALID_MEDIA_TYPE/],
    ],
  ],
  [
    'hono.ts',
    [
      ['JSON', JSON_REQUEST, 500, TAKEN],
      [
        'JSON of which a clone was read',
        { ...JSON_REQUEST, headers: { ...JSON_REQUEST.headers, 'x-clone': '1' } },
        200,
        SETOSA,
      ],
    ],
  ],
])('parsers of %s', (file, exchanges) => {
  let host: MountedHost;
  beforeAll(async () => {
    host = await startProject(project.folder, () => [file], {});
  });
  afterAll(() => host?.close());

  it.each(exchanges)('before Ternion answer %s as the page says', async (_title, request, status, body) => {
    const answer: TestResponse = await host.send(request);
    expect([answer.status, answer.body.toString()]).toEqual([status, expect.stringMatching(body)]);
  });
});
