import { expect, it } from 'vitest';
import { createHost } from '../../functions/host.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { PAGES } from '../support/project.ts';

const MEGABYTE = 1024 ** 2;

function limitsOf(
  megabytes: number,
  environment: Readonly<Record<string, string>> = {},
  answerBytes?: number,
) {
  const { config } = createHost({
    environment,
    modelRepository: 'models',
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    memoryBytes: megabytes * MEGABYTE,
    ...(answerBytes !== undefined && { answerBytes }),
  });
  const { imagePixels, values, jsonNumbers, lines, answerBytes: most } = config.limits;
  return { imagePixels, values, jsonNumbers, lines, answerBytes: most };
}

it('limits of a request follow the memory of the host, up to those of the configuration', () => {
  const most = {
    imagePixels: 50_000_000,
    values: 1024 ** 2,
    jsonNumbers: 4 * 1024 ** 2,
    lines: 1024 ** 2,
    answerBytes: 32 * MEGABYTE,
  };
  expect(limitsOf(24_000)).toEqual(most);
  expect(limitsOf(2048)).toEqual(most);
  expect(limitsOf(512)).toEqual({
    imagePixels: 16_777_216,
    values: 524_288,
    jsonNumbers: 2 * 1024 ** 2,
    lines: 524_288,
    answerBytes: 32 * MEGABYTE,
  });
  expect(limitsOf(256)).toMatchObject({ answerBytes: 16 * MEGABYTE, jsonNumbers: 1024 ** 2 });
});

it('the limit of a host bounds an answer, unless the environment overrides it', () => {
  expect(limitsOf(2048, {}, 6 * MEGABYTE).answerBytes).toBe(6 * MEGABYTE);
  expect(limitsOf(64, {}, 6 * MEGABYTE).answerBytes).toBe(4 * MEGABYTE);
  expect(limitsOf(512, { MAX_ANSWER_BYTES: '7', MAX_IMAGE_PIXELS: '8' }, 6)).toMatchObject({
    answerBytes: 7,
    imagePixels: 8,
  });
});
