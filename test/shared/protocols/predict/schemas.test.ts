import { describe, expect, it } from 'vitest';
import { predictRequest, predictResponse } from '../../../../shared/protocols/predict/schemas.ts';
import { badExchanges, type Exchange, goodExchanges } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';

/** Why a request of a good form is refused: because of what a model takes, of limits, and of what images hold. */
const REASONS_OF_CONTENT = [
  /has \d+ values?; expected 4 numbers/,
  /expected a number from/,
  /expected a number/,
  /unknown features/,
  / lacks "/,
  /this model takes/,
  /The models are: /,
  /There is no model|has no version/,
  /the limit is/,
  /is not base64/,
  /is image\/svg\+xml/,
];

const app = openApp();

/** The JSON of a predict request; undefined when it is something else. */
function readJson({ request }: Exchange): unknown {
  if (request.method !== 'POST' || !/\/predict\/?(?:\?.*)?$/.test(request.path)) return undefined;
  try {
    return JSON.parse(request.body.toString());
  } catch {
    return undefined;
  }
}

const withJson = (exchanges: readonly Exchange[]) =>
  exchanges.filter((exchange) => readJson(exchange) !== undefined);

const goodOnes = withJson(await goodExchanges());
const badOnes = withJson(await badExchanges());

describe('the schema of predict requests', () => {
  it.each(goodOnes)('takes $title', async (exchange) => {
    expect(predictRequest().safeParse(readJson(exchange)).error).toBeUndefined();
    const answer = JSON.parse((await app.send(exchange.request)).body.toString());
    expect(predictResponse().safeParse(answer).error).toBeUndefined();
  });

  it.each(badOnes)('and the decoder agree on the form of $title', async (exchange) => {
    const { error } = JSON.parse((await app.send(exchange.request)).body.toString());
    const isOfContent = REASONS_OF_CONTENT.some((reason) => reason.test(error));
    expect(predictRequest().safeParse(readJson(exchange)).success, error).toBe(isOfContent);
  });
});
