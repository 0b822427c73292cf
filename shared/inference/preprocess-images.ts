import type { Budget } from '../budget.ts';
import type { Limits } from '../config.ts';
import { InferenceError, invalid, overLimit } from '../errors.ts';
import { createLimiter } from '../limiter.ts';
import { loadOnce } from '../memo.ts';
import { ModelError } from '../models/model-config.ts';
import { blackPng, blackRaster } from '../processing/image/example-image.ts';
import type { PixelRaster, Raster, Size } from '../processing/image/raster.ts';
import { MOST_PIXELS } from '../processing/image/steps/check-steps.ts';
import type { ImageStep } from '../processing/image/steps/step-schemas.ts';
import { createImagePipeline, type ImagePipeline } from '../processing/image-pipeline.ts';
import { finish, runInTurns, type Work } from '../processing/work.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import { tensorToBytes } from '../tensor/bytes.ts';
import { DATATYPES, type Datatype } from '../tensor/datatype.ts';
import { concatRows, createTensor, type Tensor } from '../tensor/tensor.ts';
import { expectInput } from '../values/input.ts';
import { type Batch, fillBatch, type Preprocessor } from './task.ts';

/**
 * Prepares the input of an image model. The steps first run on a made-up image; models take turns at this.
 *
 * @param isTried whether they have done so when the version was published
 * @throws ModelError when the graph takes no images, or the steps make images that it does not take
 */
export async function createImagePreprocessor(
  session: Session,
  steps: readonly ImageStep[],
  isTried = false,
): Promise<Preprocessor> {
  const [input, ...others] = session.inputs;
  if (!input || others.length > 0) {
    throw new ModelError(`an image model has one input, but its graph has ${session.inputs.length}`);
  }
  const { width, height } = sizeForGraph(input, steps);
  const pipeline = createImagePipeline(steps);
  const tryOut = loadOnce(async () => {
    const image = await runOnExample(pipeline, blackRaster(width, height));
    checkAgainstGraph(image, steps, input);
    return image;
  });
  if (!isTried) await tryOut();
  const toBatch = (tensor: Tensor): Batch => ({
    rows: tensor.shape[0] ?? 0,
    feeds: new Map([[input.name, tensor]]),
  });
  return {
    imageInput: input.name,
    preprocess: async (given, budget) => {
      const rows: Tensor[] = [];
      const { limits } = budget;
      let elements = 0;
      for (const { value, field } of expectInput(given, 'image').images) {
        const name = `field "${field}"`;
        const made = await oneByOne(async () => {
          budget.goOn();
          const pixels = await pipeline.decode(value, name, budget);
          const onResize = payForMade(budget, pixels, `Field "${field}"`);
          const run = { name, madePixels: limits.tensorElements, variable: 'MAX_TENSOR_ELEMENTS', onResize };
          const made = await runInTurns(pipeline.run(pixels, run), () => budget.goOn());
          onResize(made.width * made.height);
          return made;
        });
        const raster = checkSize(made, field, input);
        elements += raster.data.length;
        if (elements > limits.tensorElements) throw tooManyElements(limits);
        rows.push(await runInTurns(toRow(raster, input.datatype), () => budget.goOn()));
      }
      return toBatch(stack(rows, input));
    },
    example: async () => toBatch(finish(toRow(await tryOut(), input.datatype))),
    isOpen: input.shape.slice(1).includes(-1) && !steps.some(givesOneSize),
    get exampleRequest() {
      return fillBatch(input, 'image', Buffer.from(blackPng(width, height)).toString('base64'));
    },
  };
}

function givesOneSize(step: ImageStep): boolean {
  return step.step === 'centerCrop' || (step.step === 'resize' && 'width' in step);
}

/** Decoded images are large: concurrent requests take turns, so that only one is in memory. */
const oneByOne = createLimiter(1);

/** Enlarging a small image takes as much work as a large one. The pixels of its file have already been counted. */
function payForMade(budget: Budget, file: PixelRaster, what: string): (pixels: number) => void {
  let paid = file.filePixels ?? file.width * file.height;
  return (pixels) => {
    budget.spend('imagePixels', Math.max(0, pixels - paid), what);
    paid = Math.max(paid, pixels);
  };
}

async function runOnExample(pipeline: ImagePipeline, image: PixelRaster): Promise<Raster> {
  const work = pipeline.run(image, { name: 'the example', madePixels: MOST_PIXELS });
  try {
    return await runInTurns(work, () => undefined);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    throw new ModelError(`its preprocess steps do not suit its graph: ${error.message}`, { cause: error });
  }
}

/** Width and height that suit most image models, for graphs that leave them open. */
const USUAL_SIDE = 224;

/** The width and height that the graph fixes, or the usual ones; a resize step makes any others fit too. */
function sizeForGraph({ shape }: TensorSpec, steps: readonly ImageStep[]): Size {
  const isPlanar = steps.some((step) => step.step === 'layout' && step.layout === 'NCHW');
  const [height = -1, width = -1] = isPlanar ? shape.slice(2) : shape.slice(1);
  const size = { width: width > 0 ? width : USUAL_SIDE, height: height > 0 ? height : USUAL_SIDE };
  if (size.width * size.height <= MOST_EXAMPLE_PIXELS) return size;
  throw new ModelError(
    `its input takes images of ${size.width}x${size.height} pixels, more than ${MOST_EXAMPLE_PIXELS}`,
  );
}

/** The highest sensible limit for a request: such an image takes 200 MB as bytes. */
const MOST_EXAMPLE_PIXELS = 2 ** 26;

/** Grey, RGB, RGBA. */
const FILE_CHANNELS = [1, 3, 4];

function channelAxis({ layout }: Raster): number {
  return layout === 'CHW' ? 0 : 2;
}

/** Axes of one image as a tensor, without the batch axis. */
function imageShape({ channels, height, width, layout }: Raster): number[] {
  return layout === 'CHW' ? [channels, height, width] : [height, width, channels];
}

function fits(shape: readonly number[], input: TensorSpec): boolean {
  const expected = input.shape.slice(1);
  return (
    expected.length === shape.length && expected.every((size, axis) => size === -1 || size === shape[axis])
  );
}

/** Without a convert step, the request decides the channels, so those that image files can have are tried. */
function checkAgainstGraph(example: Raster, steps: readonly ImageStep[], input: TensorSpec): void {
  const isColoured = steps.some(({ step }) => step === 'convert');
  const channels = isColoured ? [example.channels] : FILE_CHANNELS;
  const canFit = (layout: Raster['layout']) =>
    channels.some((count) => fits(imageShape({ ...example, layout, channels: count }), input));
  if (input.datatype === 'BYTES' || input.shape.length !== 4 || !canFit(example.layout)) {
    const shape = isColoured ? imageShape(example) : imageShape(example).with(channelAxis(example), -1);
    const hint =
      example.layout === 'HWC' && canFit('CHW') ? '; add the step {"step": "layout", "layout": "NCHW"}' : '';
    throw new ModelError(
      `its preprocess steps make images of shape [N,${shape}], but its input "${input.name}" takes ${input.datatype} [${input.shape}]${hint}`,
    );
  }
  if (example.datatype !== undefined && example.datatype !== input.datatype) {
    throw new ModelError(
      `its preprocess steps make ${example.datatype}, but its input "${input.name}" takes ${input.datatype}`,
    );
  }
}

function checkSize(image: Raster, field: string, input: TensorSpec): Raster {
  const shape = imageShape(image);
  if (fits(shape, input)) return image;
  throw invalid(
    `Field "${field}"`,
    `is an image of shape [${shape}] after preprocessing; the model takes [${input.shape.slice(1)}].`,
  );
}

function tooManyElements(limits: Limits): InferenceError {
  return overLimit(
    `The images make more than ${limits.tensorElements} elements, the limit (MAX_TENSOR_ELEMENTS).`,
  );
}

function stack(rows: readonly Tensor[], { datatype }: TensorSpec): Tensor {
  const [first, ...others] = rows;
  if (!first) return createTensor(datatype, [0], []);
  if (others.some(({ shape }) => shape.join() !== first.shape.join())) {
    throw invalid('The images of one request must have the same size for this model.');
  }
  return others.length === 0 ? first : concatRows([first, ...others]);
}

/** The image as a batch of one. Values without a datatype from a step get that of the graph. */
function* toRow(image: Raster, datatype: Datatype): Work<Tensor> {
  const shape = [1, ...imageShape(image)];
  const { data } = image;
  const found = image.datatype ?? (data instanceof Float32Array ? 'FP32' : 'UINT8');
  if (found === datatype) return { datatype, shape, data };
  const { kind, allocate } = DATATYPES[datatype];
  const cast = { datatype, shape, data: allocate(data.length) };
  const target = tensorToBytes(cast);
  const run = (from: number, to: number) => {
    const values = data.subarray(from, to);
    const whole = kind === 'integer' ? Float64Array.from(values, Math.trunc) : values;
    const part = tensorToBytes(createTensor(datatype, [to - from], whole));
    target.set(part, (from * part.length) / (to - from));
  };
  yield { count: data.length, cost: CAST_COST, run };
  return cast;
}

/** Casting a number takes as long as reading this many numbers; casts to 64 bits and to FP16 take longest. */
const CAST_COST = 16;
