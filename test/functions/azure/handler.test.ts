import { createAzureHandler } from '../../../functions/azure/handler.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { describeHttpHost } from '../../contracts/http-host.ts';
import { openHandler } from '../../support/hosts/azure-handler.ts';
import { TEST_ENVIRONMENT } from '../../support/hosts/environment.ts';
import { PAGES } from '../../support/project.ts';

describeHttpHost('the Azure handler', () => {
  const handler = createAzureHandler({
    environment: TEST_ENVIRONMENT,
    modelRepository: 'models',
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
  });
  return openHandler(async (request, context) => await handler(request, context));
});
