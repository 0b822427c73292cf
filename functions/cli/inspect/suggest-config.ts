import type { Label } from '../../../shared/processing/classification.ts';
import type { Suggestion } from './inspection.ts';
import { suggestPictures } from './suggest-pictures.ts';
import { suggestTable } from './suggest-table.ts';
import type { Suggesting } from './suggesting.ts';

/**
 * The model.json of a graph from one picture, or from the columns of a table, to one row of scores or to one number;
 * undefined for any other.
 */
export function suggestConfig(
  facts: Suggesting['facts'],
  graph: Suggesting['graph'],
  place: string,
  known?: readonly Label[],
): Suggestion | undefined {
  const [output, ...others] = facts.outputs;
  if (!output?.datatype.startsWith('FP') || others.length > 0) return undefined;
  const suggesting = { facts, graph, place, known };
  return suggestPictures(suggesting, output) ?? suggestTable(suggesting, output);
}
