// The least that classifies a picture with the same pixels as Ternion: sharp decodes all of it, our own steps resize and
// normalise it, and the graph runs. Usage: image-server.ts <port> <model.onnx>
import ort from 'onnxruntime-node';
import sharp from 'sharp';
import { imageStepsSchema } from '../../../shared/processing/image/steps/schema.ts';
import { createImagePipeline } from '../../../shared/processing/image-pipeline.ts';
import { runInTurns } from '../../../shared/processing/work.ts';
import { CLASSIFIER_STEPS } from '../models/resnet50.ts';
import { listen } from './listen.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const session = await ort.InferenceSession.create(process.argv[3] ?? '', { intraOpNumThreads: 1 });
const pipeline = createImagePipeline(imageStepsSchema.parse(CLASSIFIER_STEPS));

listen(async (file) => {
  if (file.length === 0) return 'ok';
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const image = { width, height, channels: 3, layout: 'HWC', data } as const;
  const raster = await runInTurns(pipeline.run(image, { name: 'the photo', madePixels: 1e9 }), () => {});
  const results = await session.run({
    image: new ort.Tensor('float32', Object(raster).data, [1, 3, 224, 224]),
  });
  const logits = Object(results.logits).data;
  return JSON.stringify({ class_id: logits.indexOf(Math.max(...logits)) });
});
