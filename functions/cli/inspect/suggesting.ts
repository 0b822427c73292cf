import type { Graph } from '../../../shared/onnx/graph.ts';
import type { Label } from '../../../shared/processing/classification.ts';
import type { FileFacts } from './inspection.ts';

/** The facts that a suggestion is based on. */
export interface Suggesting {
  readonly facts: Pick<FileFacts, 'inputs' | 'outputs'>;
  readonly graph: Pick<Graph, 'probabilities' | 'metadata'>;
  /** Where the model.json would be looked for. */
  readonly place: string;
  /** Labels that the model has already; a model.json must repeat them. */
  readonly known: readonly Label[] | undefined;
}

/** If there are more names, they are written into a separate file, or not at all. */
export const MOST_NAMES = 10;

/** The labels of the suggested model.json: those that are known, or placeholders for a few classes. */
export function labelsFor(
  known: readonly Label[] | undefined,
  classes: number | string | undefined,
): { readonly labels?: readonly Label[] } {
  if (known) return { labels: [...known] };
  if (typeof classes !== 'number' || classes > MOST_NAMES) return {};
  return { labels: Array.from({ length: classes }, (_, index) => `class ${index}`) };
}

/** What to do about the labels, as the end of a sentence. */
export function describeLabels(
  known: readonly Label[] | undefined,
  classes: number | string | undefined,
): string {
  if (known) {
    return `the labels are those of the model${known.length > MOST_NAMES ? ' (all of them with --json)' : ''}`;
  }
  const many = typeof classes === 'number' && classes > MOST_NAMES;
  return `choose the labels${many ? ` ("labels", or labels.txt with ${classes} lines)` : ''}`;
}
