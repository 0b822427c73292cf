// Ranks films for one person: node rank.mjs <server> <person.json> <films.jsonl> [version]
import { readFile } from 'node:fs/promises';

const MOST_SHOWN = 5;
const [server, personFile, filmsFile, version = 'champion'] = process.argv.slice(2);

const person = JSON.parse(await readFile(personFile, 'utf8'));
const films = (await readFile(filmsFile, 'utf8')).trim().split('\n').map(JSON.parse);
const scores = await score(films.map(({ title: _title, ...film }) => ({ ...person, ...film })));
films
  .map(({ title }, index) => ({ title, score: scores[index] }))
  .sort((a, b) => b.score - a.score)
  .slice(0, MOST_SHOWN)
  .forEach(({ title, score }) => void console.log(`${score.toFixed(3)}  ${title}`));

/** The chance that each candidate is watched to its end, from one request for all. */
async function score(instances) {
  const response = await fetch(`${server}/models/films/versions/${version}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer.predictions.map(({ probabilities }) => probabilities.watched);
}
