import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { PROJECT } from '../../support/project.ts';
import { folderOf } from '../installation.ts';
import { run } from './commands.ts';
import { counterpart } from './counterpart.ts';

const installed = folderOf(counterpart);
const DOCKERFILE = join(PROJECT, 'Dockerfile');

const checkovSchema = z.object({
  results: z.object({
    passed_checks: z.array(z.object({ check_id: z.string() })),
    failed_checks: z.array(z.object({ check_id: z.string(), check_name: z.string() })),
  }),
});

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      environment: z.record(z.string(), z.unknown()).optional(),
      read_only: z.boolean().optional(),
    }),
  ),
});

describe('the Dockerfile', () => {
  it('has nothing that hadolint warns about', async () => {
    const { stdout } = await run([join(installed, 'lint/bin/hadolint'), '--format', 'json', DOCKERFILE]);
    expect(JSON.parse(stdout)).toEqual([]);
  });

  it('passes all checks of checkov', async () => {
    const program = join(installed, 'lint/bin/checkov');
    const words = ['--framework', 'dockerfile', '--skip-download', '--output', 'json', '--file', DOCKERFILE];
    const { stdout } = await run([program, ...words], { LOG_LEVEL: 'ERROR' });
    const { passed_checks: passed, failed_checks: failed } = checkovSchema.parse(JSON.parse(stdout)).results;
    expect(failed).toEqual([]);
    // That it is healthy, and that its user is not root.
    const ids = new Set(passed.map(({ check_id: id }) => id));
    expect([...ids]).toEqual(expect.arrayContaining(['CKV_DOCKER_2', 'CKV_DOCKER_3', 'CKV_DOCKER_8']));
  });
});

describe('compose.yaml', () => {
  it('is accepted by the docker-compose of Debian', async () => {
    const program = join(installed, 'compose/bin/docker-compose');
    const { stdout } = await run([program, '-f', join(PROJECT, 'compose.yaml'), 'config']);
    const { services } = composeSchema.parse(load(stdout));
    expect(Object.keys(services).sort()).toEqual([
      ...['copy-models', 'grafana', 'load', 'prometheus', 's3', 'server'],
    ]);
    expect(services.server).toMatchObject({
      read_only: true,
      environment: { MODEL_REPOSITORY: 's3://models', AWS_ENDPOINT_URL_S3: 'http://s3:7070' },
    });
  });
});
