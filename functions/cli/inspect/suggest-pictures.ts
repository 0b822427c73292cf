import type { Suggestion, Value } from './inspection.ts';
import { describeLabels, labelsFor, type Suggesting } from './suggesting.ts';

/** The values of torchvision's weights, for red, green and blue from 0 to 1. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** Width and height if the graph leaves them open: most classifiers were trained on this size. */
const USUAL_SIZE = 224;

/** For a graph that turns one picture, in colours or grey, into one row of scores; undefined for any other. */
export function suggestPictures(
  { facts: { inputs }, graph, place, known }: Suggesting,
  output: Value,
): Suggestion | undefined {
  const [input, ...others] = inputs;
  const picture = input && others.length === 0 ? pictureOf(input) : undefined;
  if (!picture || output.shape?.length !== 2) return undefined;
  const [, scores] = output.shape;
  const areProbabilities = graph.probabilities.has(output.name);
  // One number is a quantity, or the score of one of two classes.
  if (scores === 1 && !areProbabilities) return undefined;
  const classes = scores === 1 ? 2 : scores;
  const { layout, width, height, isGrey } = picture;
  const values = isGrey
    ? 'the values go from 0 to 1; if training normalised them, add a step "normalize"'
    : 'the mean and std are those of torchvision; they must be those of your training';
  return {
    model_json: {
      task: 'image-classification',
      preprocess: [
        { step: 'decode' },
        { step: 'convert', mode: isGrey ? 'grey' : 'RGB' },
        { step: 'resize', width, height },
        { step: 'rescale', scale: 1 / 255 },
        ...(isGrey ? [] : [{ step: 'normalize', ...IMAGENET }]),
        { step: 'layout', layout },
      ],
      ...(!areProbabilities && { postprocess: [{ step: 'softmax' }] }),
      ...labelsFor(known, classes),
    },
    note: `if it classifies images, save this as ${place}; ${values}; ${describeLabels(known, classes)}`,
  };
}

interface Picture {
  readonly layout: 'NCHW' | 'NHWC';
  readonly width: number;
  readonly height: number;
  readonly isGrey: boolean;
}

/** Pictures in colours are tried first: the channels of [N, 1, 32, 3] are on the last axis. */
function pictureOf({ datatype, shape }: Value): Picture | undefined {
  if (datatype !== 'FP32' || shape?.length !== 4) return undefined;
  const [, second = '', third = '', fourth = ''] = shape;
  const planes = { layout: 'NCHW', height: sizeOf(third), width: sizeOf(fourth) } as const;
  const pixels = { layout: 'NHWC', height: sizeOf(second), width: sizeOf(third) } as const;
  if (second === 3) return { ...planes, isGrey: false };
  if (fourth === 3) return { ...pixels, isGrey: false };
  const grey = second === 1 ? planes : fourth === 1 ? pixels : undefined;
  // A signal has as many axes, but is not a picture.
  return grey && grey.width > 1 && grey.height > 1 ? { ...grey, isGrey: true } : undefined;
}

function sizeOf(axis: number | string): number {
  return typeof axis === 'number' ? axis : USUAL_SIZE;
}
