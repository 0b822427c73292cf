// Makes the rows of the next day: node rows.mjs <sales.csv>, with lines of date, shop and loaves sold.
import { readFile } from 'node:fs/promises';

const [, ...lines] = (await readFile(process.argv[2], 'utf8')).trim().split('\n');
const sales = new Map();
let lastDate = '';
for (const line of lines) {
  const [date, shop, sold] = line.split(',');
  sales.set(shop, [...(sales.get(shop) ?? []), Number(sold)]);
  lastDate = date;
}

const tomorrow = new Date(Date.parse(lastDate) + 24 * 60 * 60 * 1000);
// Monday is 0, as in train.py; in JavaScript, 0 is Sunday.
const weekday = (tomorrow.getUTCDay() + 6) % 7;
console.log(
  'date,shop,weekday,sold_1_day_ago,sold_7_days_ago,sold_14_days_ago,mean_of_7_days,mean_of_28_days',
);
for (const [shop, sold] of sales) {
  const ago = (days) => sold.at(-days);
  const cells = [weekday, ago(1), ago(7), ago(14), meanOfLast(sold, 7), meanOfLast(sold, 28)];
  console.log([tomorrow.toISOString().slice(0, 10), shop, ...cells].join());
}

function meanOfLast(sold, days) {
  const sum = sold.slice(-days).reduce((total, loaves) => total + loaves, 0);
  return Number((sum / days).toFixed(2));
}
