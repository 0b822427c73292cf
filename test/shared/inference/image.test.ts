import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  type Axis,
  buildModel,
  buildNode,
  FLOAT,
  FLOAT16,
  int64Initializer,
  integerAttribute,
  tensorValue,
  UINT8,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import {
  imagesInput,
  inferOutput,
  inferTensors,
  lookAt,
  rowsInput,
  serve,
} from '../../support/make-inference.ts';

/** The mean of each channel is the score of its class: red, green, blue. */
function meanModel(batch: Axis, height: Axis, width: Axis): Uint8Array {
  return buildModel({
    nodes: [buildNode('GlobalAveragePool', ['pixels'], ['scores'])],
    inputs: [tensorValue('pixels', FLOAT, [batch, 3, height, width])],
    outputs: [tensorValue('scores', FLOAT, [batch, 3, 1, 1])],
  });
}

const config = (preprocess: readonly object[]) =>
  JSON.stringify({ task: 'image-classification', labels: ['red', 'green', 'blue'], preprocess });
const toRgb = { step: 'convert', mode: 'RGB' };
const toPlanes = { step: 'layout', layout: 'NCHW' };
const resizeTo = (width: number, height: number) => ({ step: 'resize', width, height });

function image(width: number, height: number, background: string): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

describe('image classification', () => {
  it('gives a prediction per image, for images of different sizes', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 4, 6),
      'model.json': config([toRgb, resizeTo(6, 4), { step: 'rescale', scale: 1 / 255 }, toPlanes]),
    });
    const images = [
      await image(6, 4, '#ff0000'),
      await image(31, 9, '#003300'),
      await image(1, 1, '#000066'),
    ];
    const output = await inferOutput(inference, imagesInput(images));
    expect(output).toEqual({
      kind: 'classification',
      labels: ['red', 'green', 'blue'],
      areProbabilities: false,
      predictions: [
        { classId: 0, label: 'red', scores: Float64Array.of(1, 0, 0) },
        { classId: 1, label: 'green', scores: Float64Array.of(0, 0.2, 0) },
        { classId: 2, label: 'blue', scores: Float64Array.of(0, 0, 0.4) },
      ],
    });
  });

  it('sends several images to a graph for one image, one after the other', async () => {
    const inference = await serve({
      'model.onnx': meanModel(1, 2, 2),
      'model.json': config([toRgb, resizeTo(2, 2), toPlanes]),
    });
    const images = [await image(2, 2, '#00ff00'), await image(2, 2, '#0000ff')];
    const output = await inferOutput(inference, imagesInput(images));
    expect(output).toMatchObject({ predictions: [{ label: 'green' }, { label: 'blue' }] });
  });

  it('takes both bytes and pixels where the graph does', async () => {
    const inference = await serve({
      'model.onnx': buildModel({
        nodes: [buildNode('Cast', ['x'], ['y'], { attributes: [integerAttribute('to', FLOAT)] })],
        inputs: [tensorValue('x', UINT8, ['n', 1, 1, 3])],
        outputs: [tensorValue('y', FLOAT, ['n', 1, 1, 3])],
      }),
      'model.json': config([{ step: 'convert', mode: 'BGR' }, resizeTo(1, 1)]),
    });
    const output = await inferOutput(inference, imagesInput([await image(3, 3, '#0a141e')]));
    expect(output).toMatchObject({ predictions: [{ scores: Float64Array.of(30, 20, 10) }] });
  });

  it('sends float16 to a graph of float16, with a datatype step and without', async () => {
    const files = (steps: readonly object[]) => ({
      'model.onnx': buildModel({
        nodes: [buildNode('Cast', ['x'], ['y'], { attributes: [integerAttribute('to', FLOAT)] })],
        inputs: [tensorValue('x', FLOAT16, ['n', 1, 1, 3])],
        outputs: [tensorValue('y', FLOAT, ['n', 1, 1, 3])],
      }),
      'model.json': config([toRgb, resizeTo(1, 1), { step: 'rescale', scale: 1 / 255 }, ...steps]),
    });
    for (const steps of [[], [{ step: 'datatype', datatype: 'FP16' }]]) {
      const inference = await serve(files(steps));
      const output = await inferOutput(inference, imagesInput([await image(1, 1, '#00ff64')]));
      // 100 / 255 = 0.392157 is nearest to 1606 / 4096 = 0.39208984375, which answers shorten as float32.
      expect(output).toMatchObject({ predictions: [{ scores: Float64Array.of(0, 1, 0.39208984) }] });
    }
  });

  it('refuses steps that make a datatype that the graph does not take', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 4, 6),
      'model.json': config([toRgb, resizeTo(6, 4), toPlanes, { step: 'datatype', datatype: 'UINT8' }]),
    });
    const error = await rejectionOf(inferOutput(inference, imagesInput([await image(6, 4, 'red')])));
    expect([error.code, error.message]).toEqual([
      'MODEL_UNAVAILABLE',
      expect.stringContaining('its preprocess steps make UINT8, but its input "pixels" takes FP32'),
    ]);
  });

  it('refuses steps at load that fit no image file, and says which one is missing', async () => {
    const load = async (steps: readonly object[]) => {
      const inference = await serve({ 'model.onnx': meanModel('n', 4, 6), 'model.json': config(steps) });
      return (await rejectionOf(inferOutput(inference, imagesInput([await image(6, 4, 'red')])))).message;
    };
    const loaded = 'Model "m" version "1" cannot be loaded: its preprocess steps make images of shape ';
    expect(await load([resizeTo(6, 4)])).toBe(
      `${loaded}[N,4,6,-1], but its input "pixels" takes FP32 [-1,3,4,6]; add the step {"step": "layout", "layout": "NCHW"}.`,
    );
    expect(await load([toRgb, resizeTo(6, 4)])).toBe(
      `${loaded}[N,4,6,3], but its input "pixels" takes FP32 [-1,3,4,6]; add the step {"step": "layout", "layout": "NCHW"}.`,
    );
    expect(await load([resizeTo(5, 4), toPlanes])).toBe(
      `${loaded}[N,-1,4,5], but its input "pixels" takes FP32 [-1,3,4,6].`,
    );
  });

  it('holds the vectors of images to the limit of tensors', async () => {
    const pixels = buildModel({
      nodes: [
        buildNode('Concat', ['pixels', 'pixels'], ['twice'], { attributes: [integerAttribute('axis', 1)] }),
        buildNode('Flatten', ['twice'], ['vectors']),
      ],
      inputs: [tensorValue('pixels', FLOAT, ['n', 3, 'h', 'w'])],
      outputs: [tensorValue('vectors', FLOAT, ['n', 'size'])],
    });
    const files = {
      'model.onnx': pixels,
      'model.json': JSON.stringify({ task: 'feature-extraction', preprocess: [toRgb, toPlanes] }),
    };
    const inference = await serve(files, { limits: { tensorElements: 500 } });
    const ask = async (side: number) =>
      await inferOutput(inference, imagesInput([await image(side, side, 'red')]));
    expect(await ask(9)).toMatchObject({ predictions: [{ shape: [486] }] });
    const error = await rejectionOf(ask(10));
    expect([error.status, error.message]).toEqual([
      413,
      'Output "vectors" has 600 elements; the limit is 500 (MAX_TENSOR_ELEMENTS).',
    ]);
  });

  it('says the same of an image that the graph refuses, however it is sent', async () => {
    const inference = await serve({
      'model.onnx': buildModel({
        nodes: [buildNode('Reshape', ['pixels', 'shape'], ['scores'])],
        inputs: [tensorValue('pixels', FLOAT, ['n', 3, 'h', 'w'])],
        outputs: [tensorValue('scores', FLOAT, ['n', 12])],
        initializers: [int64Initializer('shape', [-1, 12])],
      }),
      'model.json': JSON.stringify({ task: 'image-classification', preprocess: [toRgb, toPlanes] }),
    });
    const predict = async (width: number) =>
      await inferOutput(inference, imagesInput([await image(width, 2, 'red')]));
    const run = async (width: number) => {
      const elements = [await image(width, 2, 'red')];
      const inputs = new Map([['pixels', { datatype: 'BYTES', shape: [1], elements } as const]]);
      const reference = { name: 'm', version: '1' };
      return await inferTensors(inference, { reference, inputs, outputs: undefined });
    };
    for (const answer of [predict, run]) {
      const error = await rejectionOf(answer(3));
      expect([error.code, String(error.cause)]).toEqual([
        'INVALID_PARAMETER_VALUE',
        expect.stringContaining('Reshape'),
      ]);
    }
    expect(await predict(2)).toMatchObject({ predictions: [{ classId: 0 }] });
    expect((await run(2)).outputs.get('scores')).toMatchObject({ shape: [1, 12] });
    const error = await rejectionOf(predict(4));
    expect([error.status, error.retryable, error.message]).toEqual([
      500,
      false,
      'The model\'s output "scores" has the shape [2,12] for 1 instance; a classifier needs [1,classes], one score for each class.',
    ]);
  });

  it('refuses an image that its steps would make huge, by name', async () => {
    const inference = await serve(
      {
        'model.onnx': meanModel('n', 'h', 'w'),
        'model.json': config([toRgb, { step: 'resize', shortestEdge: 100 }, toPlanes]),
      },
      { limits: { tensorElements: 100_000 } },
    );
    const error = await rejectionOf(inferOutput(inference, imagesInput([await image(1, 11, 'red')])));
    expect([error.status, error.message]).toEqual([
      413,
      'The image in field "instances[0].image" is 1x11; the model would resize it to 100x1100, which is more than 100000 pixels (MAX_TENSOR_ELEMENTS).',
    ]);
  });

  it('turns, shrinks and crops photographs as the steps say', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 2, 2),
      'model.json': config([
        { step: 'decode', decode: 'exact' },
        { step: 'orient' },
        toRgb,
        { step: 'resize', shortestEdge: 2, filter: 'box' },
        { step: 'centerCrop', width: 2, height: 2 },
        toPlanes,
      ]),
    });
    // Thirds in red, green and blue from the left, which are one above the other when upright: the middle is green.
    const thirds = Buffer.alloc(12 * 4 * 3);
    for (let at = 0; at < 12 * 4; at++) thirds[3 * at + Math.floor((at % 12) / 4)] = 255;
    const file = await sharp(thirds, { raw: { width: 12, height: 4, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    expect(await inferOutput(inference, imagesInput([file]))).toMatchObject({
      predictions: [{ scores: Float64Array.of(0, 255, 0) }],
    });
  });

  it('takes images of any size where neither the steps nor the graph set one', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 'h', 'w'),
      'model.json': config([toRgb, toPlanes]),
    });
    const output = await inferOutput(inference, imagesInput([await image(5, 7, '#000001')]));
    expect(output).toMatchObject({ predictions: [{ label: 'blue' }] });
    const mixed = imagesInput([await image(5, 7, 'red'), await image(7, 5, 'red')]);
    const error = await rejectionOf(inferOutput(inference, mixed));
    expect(error.message).toBe('The images of one request must have the same size for this model.');
  });

  it('refuses an image of another size than the graph takes', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 4, 6),
      'model.json': config([toRgb, toPlanes]),
    });
    expect(await inferOutput(inference, imagesInput([await image(6, 4, 'red')]))).toMatchObject({
      predictions: [{ label: 'red' }],
    });
    const error = await rejectionOf(
      inferOutput(inference, imagesInput([await image(6, 4, 'red'), await image(4, 6, 'red')])),
    );
    expect(error.message).toBe(
      'Field "instances[1].image" is an image of shape [3,6,4] after preprocessing; the model takes [3,4,6].',
    );
  });

  it('refuses what is not an image, too many pixels and too many elements, by name', async () => {
    const inference = await serve(
      { 'model.onnx': meanModel('n', 4, 6), 'model.json': config([toRgb, resizeTo(6, 4), toPlanes]) },
      { limits: { imagePixels: 100, tensorElements: 100 } },
    );
    const small = await image(10, 10, 'red');
    const errorOf = (images: readonly Uint8Array[]) =>
      rejectionOf(inferOutput(inference, imagesInput(images)));
    expect((await errorOf([small, Buffer.from('text')])).message).toMatch(
      /^Field "instances\[1\].image" is not an image this server knows/,
    );
    expect((await errorOf([await image(10, 11, 'red')])).message).toMatch('more than 100 pixels');
    expect((await errorOf([small, await image(1, 1, 'red')])).message).toMatch(
      /^Field "instances\[1\]\.image" .* more than 100 pixels.*\(MAX_IMAGE_PIXELS\)\.$/,
    );
    const half = await image(5, 10, 'red');
    expect((await errorOf([half, half])).message).toBe(
      'The images make more than 100 elements, the limit (MAX_TENSOR_ELEMENTS).',
    );
  });

  it('takes images, not rows', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 4, 6),
      'model.json': config([toRgb, resizeTo(6, 4), toPlanes]),
    });
    const error = await rejectionOf(inferOutput(inference, rowsInput([[1]])));
    expect(error.message).toMatch('this model takes an image, as a file');
  });

  it('has an example that it answers', async () => {
    const inference = await serve({
      'model.onnx': meanModel('n', 4, 6),
      'model.json': config([toRgb, toPlanes]),
    });
    const example = await lookAt(inference, { name: 'm', version: '1' }, (model) => model.example);
    const file = Buffer.from(String(example?.image), 'base64');
    const output = await inferOutput(inference, imagesInput([file]));
    expect(output).toMatchObject({ predictions: [{ scores: Float64Array.of(0, 0, 0) }] });
  });
});
