import { nameColumns } from '../../../shared/models/formats/metadata.ts';
import type { Graph } from '../../../shared/onnx/graph.ts';
import type { Label } from '../../../shared/processing/classification.ts';
import type { FileFacts, Suggestion, Value } from './inspection.ts';

/** Of torchvision's weights, for red, green and blue from 0 to 1. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** Width and height where the graph leaves them open: what most classifiers were trained on. */
const USUAL_SIZE = 224;

/**
 * For a graph from one picture to one row of scores, or from a row of columns with names to one number; undefined for any
 * other.
 *
 * @param known labels that the model has already; a model.json must repeat them
 */
export function suggestConfig(
  facts: Pick<FileFacts, 'inputs' | 'outputs'>,
  { probabilities, metadata }: Pick<Graph, 'probabilities' | 'metadata'>,
  place: string,
  known?: readonly Label[],
): Suggestion | undefined {
  const [input, ...moreInputs] = facts.inputs;
  const [output, ...moreOutputs] = facts.outputs;
  if (!input || !output || moreInputs.length > 0 || moreOutputs.length > 0) return undefined;
  const picture = pictureOf(input);
  if (!picture) return suggestTable(input, output, metadata, place);
  const [, classes] = output.shape ?? [];
  if (output.datatype !== 'FP32' || output.shape?.length !== 2) return undefined;
  // One number is a quantity, or the score of one of two classes.
  if (classes === 1) return undefined;
  const { layout, width, height } = picture;
  return {
    model_json: {
      task: 'image-classification',
      preprocess: [
        { step: 'decode' },
        { step: 'convert', mode: 'RGB' },
        { step: 'resize', width, height },
        { step: 'rescale', scale: 1 / 255 },
        { step: 'normalize', ...IMAGENET },
        { step: 'layout', layout },
      ],
      ...(!probabilities.has(output.name) && { postprocess: [{ step: 'softmax' }] }),
      ...(known
        ? { labels: [...known] }
        : typeof classes === 'number' && classes <= MOST_LABELS && { labels: labelsFor(classes) }),
    },
    note: `if it classifies images, save this as ${place}; the mean and std are those of torchvision and must be those of training, and ${describeLabels(classes, known)}`,
  };
}

function suggestTable(
  { shape: taken }: Value,
  { shape: given, datatype }: Value,
  metadata: Graph['metadata'],
  place: string,
): Suggestion | undefined {
  const [, columns] = taken ?? [];
  const isNumber =
    datatype.startsWith('FP') && (given?.length === 1 || (given?.length === 2 && given[1] === 1));
  if (taken?.length !== 2 || typeof columns !== 'number' || !isNumber) return undefined;
  const names = nameColumns(metadata, columns);
  return (
    names && {
      model_json: { task: 'tabular-regression', features: names.map((name) => ({ name })) },
      note: `if it predicts a number for each row, save this as ${place}; the names of the columns are those of its metadata${names.length > MOST_LABELS ? ' (all of them with --json)' : ''}`,
    }
  );
}

function describeLabels(classes: number | string | undefined, known: readonly Label[] | undefined): string {
  if (known)
    return `the labels are those it has already${known.length > MOST_LABELS ? ' (all of them with --json)' : ''}`;
  const many = typeof classes === 'number' && classes > MOST_LABELS;
  return `the labels are yours to name${many ? ` ("labels", or labels.txt with ${classes} lines)` : ''}`;
}

/** More names are written into a file of their own. */
const MOST_LABELS = 10;

function labelsFor(classes: number): readonly string[] {
  return Array.from({ length: classes }, (_, index) => `class ${index}`);
}

interface Picture {
  readonly layout: 'NCHW' | 'NHWC';
  readonly width: number;
  readonly height: number;
}

function pictureOf({ datatype, shape }: Value): Picture | undefined {
  if (datatype !== 'FP32' || shape?.length !== 4) return undefined;
  const [, second = '', third = '', fourth = ''] = shape;
  if (second === 3) return { layout: 'NCHW', height: sizeOf(third), width: sizeOf(fourth) };
  if (fourth === 3) return { layout: 'NHWC', height: sizeOf(second), width: sizeOf(third) };
  return undefined;
}

function sizeOf(axis: number | string): number {
  return typeof axis === 'number' ? axis : USUAL_SIZE;
}
