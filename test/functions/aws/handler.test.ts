import { describeHttpHost } from '../../contracts/http-host.ts';
import { openLambda } from '../../support/hosts/in-process.ts';
import { EVENT_SOURCES } from '../../support/hosts/lambda-events.ts';

for (const source of EVENT_SOURCES)
  describeHttpHost(`the Lambda handler for a ${source}`, () => openLambda(source));
