import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../shared/config.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { createProtocols } from '../../../shared/protocols/protocols.ts';
import { makeInference } from '../../support/make-inference.ts';
import { NO_PAGES } from '../../support/no-pages.ts';
import { MODELS } from '../../support/project.ts';
import { SILENT_MONITORING } from '../../support/silent-monitoring.ts';

const ENVIRONMENTS = [
  {},
  { ADMIN_ROUTES: 'true' },
  { ADMIN_KEY: 'a key' },
  { DOCS: 'false', PLAYGROUND: 'false' },
  { PROTOCOLS: 'kserve,torchserve' },
  { PROTOCOLS: 'ternion' },
  { METRICS: 'none' },
  { METRICS: 'triton,tensorflow-serving' },
  { PROTOCOLS: 'hugging-face,kserve', DIALECT: 'kserve' },
  { AIP_HEALTH_ROUTE: '/', AIP_PREDICT_ROUTE: '/my/predict//' },
  { AIP_PREDICT_ROUTE: '/v1/models/a:predict', ADMIN_ROUTES: 'true' },
];

describe('the table of routes', () => {
  it.each(ENVIRONMENTS)(
    'has the operations of each protocol in their order, with %o',
    async (environment) => {
      const config = parseConfig(environment);
      const { inference } = makeInference(MODELS);
      const logger = createLogger('silent', () => undefined);
      const listed = createProtocols({
        inference,
        config,
        version: '1',
        logger,
        monitoring: SILENT_MONITORING,
        pages: NO_PAGES,
      });
      const names: string[] = [];
      for (const { routes, load } of listed) {
        const { name, operations } = await load();
        names.push(name);
        expect(routes, name).toEqual(operations.map(({ method, path }) => ({ method, path })));
      }
      expect(names.toSorted()).toEqual(['metrics', 'catalog', ...config.protocols].toSorted());
    },
  );
});

it('loads a protocol once', async () => {
  const { inference } = makeInference(MODELS);
  const logger = createLogger('silent', () => undefined);
  const [first] = createProtocols({
    inference,
    config: parseConfig({}),
    version: '1',
    logger,
    monitoring: SILENT_MONITORING,
    pages: NO_PAGES,
  });
  expect(await first?.load()).toBe(await first?.load());
});
