import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { PROJECT } from './support/project.ts';
import { TARGETS } from './support/targets.ts';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const packageJson = z
  .object({ devDependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

/** The instructions of a Dockerfile, with their lines joined and without comments. */
const instructions = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.split(' ', 1)[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }));
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const inLast = (name: string) => last.filter((each) => each.name === name).map(({ rest }) => rest);

describe('the Dockerfile', () => {
  it('has the version of Node that the tests run on', () => {
    const images = instructions.filter(({ name }) => name === 'FROM').map(({ rest }) => rest);
    const versions = images.flatMap((image) => /library\/node:([\d.]+)-/.exec(image)?.[1] ?? []);
    expect(versions).toEqual([packageJson.devDependencies.node, packageJson.devDependencies.node]);
    for (const image of images) expect(image).toMatch(/:[\w.-]+(?: AS \w+)?$/);
  });

  it('runs nothing in the last stage, so that an image for another processor needs no emulation', () => {
    expect(last.map(({ name }) => name)).not.toContain('RUN');
    expect(inLast('COPY').filter((rest) => !/^--from=(?:build|node) /.test(rest))).toEqual([]);
  });

  it('has a user with a number that is not root, and commands without a shell', () => {
    expect(inLast('USER')).toEqual(['65532:65532']);
    expect(JSON.parse(inLast('ENTRYPOINT')[0] ?? '')).toContain('/app/index.mjs');
    const [check = ''] = inLast('HEALTHCHECK');
    const script = z
      .array(z.string())
      .parse(JSON.parse(check.slice(check.indexOf('CMD ') + 4)))
      .at(-1);
    const [target] = TARGETS.filter(({ host }) => host === 'container');
    expect(target?.entries.map((entry) => `/app/${entry}.mjs`)).toEqual([script]);
  });

  it('starts Node as npm start does', () => {
    const { scripts } = z
      .object({ scripts: z.object({ start: z.string() }) })
      .parse(JSON.parse(read('package.json')));
    const [, option = ''] = / (--[\w=-]+) dist\/local/.exec(scripts.start) ?? [];
    expect(inLast('ENTRYPOINT')[0]).toContain(JSON.stringify(option));
  });

  it('builds the servers of all processors that the image can be for', () => {
    const [build = ''] = instructions
      .filter(({ rest }) => rest.includes('esbuild.config.mjs'))
      .map(({ rest }) => rest);
    for (const { name } of TARGETS.filter(({ host }) => host === 'container')) expect(build).toContain(name);
  });
});

it('reads no file of this machine into the build that is not needed', () => {
  const rules = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(rules[0]).toBe('*');
  const kept = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  // A project may have own code; this one has none.
  expect(kept.filter((path) => path !== 'ternion.config.ts' && !existsSync(join(PROJECT, path)))).toEqual([]);
  expect(kept).not.toEqual(expect.arrayContaining(['.env']));
  expect(rules).toContain('**/.*');
});

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      build: z.unknown().optional(),
      command: z.array(z.string()).default([]),
      environment: z.record(z.string(), z.string()).default({}),
      volumes: z.array(z.string()).default([]),
      ports: z.array(z.string()).default([]),
      read_only: z.boolean().default(false),
    }),
  ),
});
const { services } = composeSchema.parse(load(read('compose.yaml'), { schema: YAML11_SCHEMA }));

describe('compose.yaml', () => {
  it('has pinned images of others, and mounts folders that are there', () => {
    const others = Object.values(services).filter(({ build }) => build === undefined);
    expect(others.map(({ image }) => image)).toHaveLength(3);
    for (const { image } of others) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
    const folders = Object.values(services).flatMap(({ volumes }) =>
      volumes.filter((volume) => volume.startsWith('./')).map((volume) => volume.split(':')[0] ?? ''),
    );
    expect(folders.length).toBeGreaterThan(2);
    for (const folder of folders) expect([folder, existsSync(join(PROJECT, folder))]).toEqual([folder, true]);
    const scripts = Object.values(services).flatMap(({ command }) =>
      command.filter((word) => word.endsWith('.ts')),
    );
    for (const script of scripts) expect([script, existsSync(join(PROJECT, script))]).toEqual([script, true]);
  });

  it('can be reached from this machine alone', () => {
    const ports = Object.values(services).flatMap(({ ports }) => ports);
    expect(ports.map((port) => port.replace(/:\d+:\d+$/, ''))).toEqual(ports.map(() => '127.0.0.1'));
  });

  it('gives its S3 server and its clients the same keys', () => {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = services.server?.environment ?? {};
    expect(services.s3?.command.join(' ')).toContain(`--access ${id} --secret ${secret}`);
    expect(services['copy-models']?.environment).toMatchObject({
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
    });
    expect(services.server?.environment.MODEL_REPOSITORY).toBe(
      `s3://${services['copy-models']?.command.at(-1)}`,
    );
  });

  it('lets Prometheus read the server, and Grafana read Prometheus and the dashboards', () => {
    const prometheus = z
      .object({
        scrape_configs: z.tuple([
          z.object({ static_configs: z.tuple([z.object({ targets: z.array(z.string()) })]) }),
        ]),
      })
      .parse(load(read('infra/prometheus/prometheus.yml')));
    const [{ targets }] = prometheus.scrape_configs[0].static_configs;
    expect(targets).toEqual(['server:8080']);
    const folder = 'infra/grafana/provisioning';
    expect(readdirSync(join(PROJECT, folder)).sort()).toEqual(['dashboards', 'datasources']);
    const source = z
      .object({ datasources: z.tuple([z.object({ url: z.string() })]) })
      .parse(load(read(`${folder}/datasources/prometheus.yml`)));
    expect(Object.keys(services)).toContain(new URL(source.datasources[0].url).hostname);
    const dashboards = z
      .object({ providers: z.tuple([z.object({ options: z.object({ path: z.string() }) })]) })
      .parse(load(read(`${folder}/dashboards/ternion.yml`)));
    expect(services.grafana?.volumes).toContain(`./infra/grafana:${dashboards.providers[0].options.path}:ro`);
  });
});
