import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DocumentedShell, openDocumentedShell, readBlocks } from '../support/documented-commands.ts';
import { EXAMPLES } from '../support/examples.ts';

const FORECAST = join(EXAMPLES, 'forecast');

const readme = await readFile(join(FORECAST, 'README.md'), 'utf8');
const { cases } = JSON.parse(await readFile(join(FORECAST, 'models/demand/1/reference.json'), 'utf8'));
const forecasts: readonly number[] = cases.map(
  ({ expected }: { expected: { prediction: number } }) => expected.prediction,
);
const SHOPS = ['Harbour', 'Market', 'Station', 'University', 'West', 'Airport'];

/** The command that cron passes to the shell for the last line of its table. */
function readCrontab(text: string): string {
  const line = readBlocks(text, 'crontab')[0]?.split('\n').at(-1) ?? '';
  const [, command = ''] = /^30 2 \* \* \* (.*)$/.exec(line) ?? [];
  // An unescaped percent sign would end the line.
  if (/(?<!\\)%/.test(command)) throw new Error(`cron cuts ${command}`);
  return command.replaceAll('\\%', '%');
}

describe('the nightly forecast', () => {
  let folder: string;
  let shell: DocumentedShell;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ternion-forecast-'));
    shell = await openDocumentedShell(8080, folder);
    await cp(FORECAST, join(folder, 'examples/forecast'), { recursive: true });
  });
  beforeEach(() => rm(join(folder, 'forecasts'), { recursive: true, force: true }));
  afterAll(async () => {
    await shell.close();
    await rm(folder, { recursive: true });
  });

  const runNight = () => shell.run(readCrontab(readme).replace('cd /srv/ternion', `cd ${folder}`));
  const night = async (file: string) => {
    const [day = ''] = await readdir(join(folder, 'forecasts'));
    return join(folder, 'forecasts', day, file);
  };
  const ordersOf = (loaves: readonly (number | undefined)[]) =>
    SHOPS.map((shop, index) => `2025-12-31  ${shop}: ${loaves[index]}`);

  it('orders what the scikit-learn model says, rounded up', async () => {
    const printed = await runNight();
    expect(printed.split('\n').slice(1)).toEqual(ordersOf(forecasts.map(Math.ceil)));
    expect(await readFile(await night('orders.txt'), 'utf8')).toBe(
      `${ordersOf(forecasts.map(Math.ceil)).join('\n')}\n`,
    );
    const [, ...rows] = (await readFile(await night('forecast.csv'), 'utf8')).trim().split('\n');
    const served = rows.map((row) => Number(row.split(',')[1]));
    for (const [index, forecast] of forecasts.entries()) expect(served[index]).toBeCloseTo(forecast, 3);
    expect(await readdir(join(folder, 'forecasts'))).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\d$/)]);
  });

  it('gives the model the columns that it was trained on', async () => {
    const command = 'node examples/forecast/rows.mjs examples/forecast/data/sales.csv';
    const [, ...rows] = (await shell.run(command)).split('\n');
    const columns = rows.map((row) => row.split(',').slice(2).map(Number));
    expect(columns).toEqual(
      cases.map(({ request }: { request: { features: readonly number[] } }) => request.features),
    );
  });

  it('keeps the forecasts of a night that is done', async () => {
    await runNight();
    const before = await stat(await night('forecast.csv'));
    const again = await runNight();
    expect(again.split('\n')).toEqual(ordersOf(forecasts.map(Math.ceil)));
    expect((await stat(await night('forecast.csv'))).mtimeMs).toBe(before.mtimeMs);
  });

  it('resumes the rows of a night that was stopped before its batch was done', async () => {
    await runNight();
    const rows = await night('rows.csv');
    // The sales of that evening, not those at the time when it resumes.
    const text = (await readFile(rows, 'utf8')).replaceAll('2025-12-31', '2025-11-30');
    await writeFile(rows, text);
    await rm(await night('forecast.csv'));
    expect((await runNight()).split('\n').slice(1)).toEqual(
      ordersOf(forecasts.map(Math.ceil)).map((line) => line.replace('2025-12-31', '2025-11-30')),
    );
  });

  it('orders for the other shops if one has no number', async () => {
    await runNight();
    const rows = await night('rows.csv');
    await writeFile(rows, (await readFile(rows, 'utf8')).replace('Market,2,228', 'Market,2,'));
    await rm(await night('forecast.csv'));
    const printed = (await runNight()).split('\n').slice(1);
    expect(printed[1]).toMatch(/^2025-12-31 {2}Market: no forecast, Field "row 2\[1\]" \(sold_1_day_ago\) /);
    expect(printed.toSpliced(1, 1)).toEqual(ordersOf(forecasts.map(Math.ceil)).toSpliced(1, 1));
  });
});
