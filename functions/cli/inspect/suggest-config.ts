import type { Label } from '../../../shared/processing/classification.ts';
import type { Suggestion } from './inspection.ts';
import { suggestPictures } from './suggest-pictures.ts';
import { suggestTable } from './suggest-table.ts';
import type { Suggesting } from './suggesting.ts';

/**
 * Suggests a model.json for a graph that turns one picture, or the columns of a table, into one row of scores or one
 * number; undefined for any other graph.
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
