import { expect, it } from 'vitest';
import { raw } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';

const app = openApp();
const ROW = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const JSON_TYPE = 'application/json';

it.each([
  [
    'rows as features',
    { features: [ROW, ROW] },
    JSON_TYPE,
    400,
    /Several rows are \{"instances": \[\.\.\.\]\}/,
  ],
  [
    'named rows as features',
    { features: [NAMED] },
    JSON_TYPE,
    400,
    /Several rows are \{"instances": \[\.\.\.\]\}/,
  ],
  ['a list of rows', [ROW], JSON_TYPE, 400, /expected an object, such as \{"instances": \[\.\.\.\]\}/],
  [
    'a list of named rows',
    [NAMED],
    JSON_TYPE,
    400,
    /expected an object, such as \{"instances": \[\.\.\.\]\}/,
  ],
  ['a row', ROW, JSON_TYPE, 400, /expected an object, such as \{"features": \[\.\.\.\]\}/],
  ['an empty list', [], JSON_TYPE, 400, /expected an object, such as \{"features": \[\.\.\.\]\}/],
  ['a named row', NAMED, JSON_TYPE, 400, /Values by name are \{"features": \{\.\.\.\}\}/],
  ['CSV', '5.1,3.5,1.4,0.2', 'text/csv', 415, /"\/invocations" also takes text\/csv/],
])('%s gets the way out', async (_, body, type, status, way) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await app.send(raw('/models/iris/predict', text, { 'content-type': type }));
  expect([answer.status, JSON.parse(answer.body.toString()).error]).toEqual([
    status,
    expect.stringMatching(way),
  ]);
});
