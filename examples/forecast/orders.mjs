// Says how many loaves to bake for each shop: node orders.mjs <rows.csv> <forecast.csv>
import { readFile } from 'node:fs/promises';

const [rows, forecasts] = await Promise.all(process.argv.slice(2).map(readTable));
for (const { row, prediction, error } of forecasts) {
  // The forecasts have the numbers of their rows, counted from 1.
  const { date, shop } = rows[row - 1];
  console.log(
    error ? `${date}  ${shop}: no forecast, ${error}` : `${date}  ${shop}: ${Math.ceil(prediction)}`,
  );
}

/** The rows of a CSV as objects. Only the last column may hold commas or quotes. */
async function readTable(path) {
  const [header, ...lines] = (await readFile(path, 'utf8')).trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const last = cells.splice(names.length - 1).join(',');
    cells.push(last.replace(/^"|"$/g, '').replaceAll('""', '"'));
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]));
  });
}
