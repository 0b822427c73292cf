import { describe, expect, it } from 'vitest';
import { toRoutePath } from '../../../shared/protocols/mount.ts';

describe('toRoutePath', () => {
  it.each([
    ['/v1/models', '/v1/models'],
    ['/v1/models/{model}', '/v1/models/:model{[^/:]+}'],
    ['/v1/models/{model}:predict', '/v1/models/:model{[^/:]+:predict}'],
    ['/v1/models/{model}/versions/{version}', '/v1/models/:model/versions/:version{[^/:]+}'],
    ['/{model}/predict', '/:model/predict'],
  ])('writes %s as %s: a name at the end has no colon', (path, route) => {
    expect(toRoutePath(path)).toBe(route);
  });
});
