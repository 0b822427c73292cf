import type { LoadRequest } from '../load/load.ts';
import { type LatencyCondition, measureLatency } from '../measure-latency.ts';
import { makeJpeg } from '../models/photo.ts';
import { writeResnet50 } from '../models/resnet50.ts';
import { postJson } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { benchCommand, serveCommand } from '../servers.ts';

const PATH = '/models/resnet50/predict';

export const images: Scenario = {
  name: 'images',
  title: 'Images for a graph of the size of ResNet50',
  about:
    'JPEG files of three sizes, as the body itself, in a form, or in base64. The steps are those of torchvision: resize to ' +
    '256, crop to 224, normalise. The limit is a bare server that gets the file as the body. There, sharp decodes all ' +
    "pixels, Ternion's own resize gives the same bytes, and the same graph runs.",
  contenders: [
    { name: 'ternion serve', role: 'ours' },
    { name: 'sharp + resize + run', role: 'limit' },
  ],
  plot: 'p50',
  run: async (bench) => {
    bench.progress('makes the graph and the images');
    const model = await writeResnet50(bench.folder);
    const first = imageRequest(await makeJpeg(224, 224));
    const contenders = [
      {
        name: 'ternion serve',
        command: serveCommand(bench.folder),
        environment: { PRELOAD_MODELS: 'resnet50' },
        requests: [first],
      },
      {
        name: 'sharp + resize + run',
        command: benchCommand('limits/image-server.ts', model),
        requests: [first],
      },
    ];
    const conditions: LatencyCondition[] = [];
    for (const [size, width, height, count] of [
      ['224 px', 224, 224, 20],
      ['1 MP', 1200, 900, 20],
      ['12 MP', 4000, 3000, 8],
    ] as const) {
      const file = await makeJpeg(width, height);
      const forms = {
        raw: imageRequest(file),
        base64: base64Request(file),
        ...(!bench.isQuick && { multipart: formRequest(file) }),
      };
      for (const [form, request] of Object.entries(forms)) {
        conditions.push({
          name: `${form}, ${size}`,
          requests: { 'ternion serve': request, 'sharp + resize + run': imageRequest(file) },
          count: bench.isQuick ? Math.ceil(count / 6) : count,
        });
      }
    }
    await measureLatency(bench, contenders, conditions);
  },
};

export function imageRequest(file: Buffer): LoadRequest {
  return { method: 'POST', path: PATH, headers: { 'content-type': 'image/jpeg' }, body: file };
}

function formRequest(file: Buffer): LoadRequest {
  const boundary = 'boundary-of-the-benchmark';
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="photo.jpg"\r\ncontent-type: image/jpeg\r\n\r\n`;
  return {
    method: 'POST',
    path: PATH,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

function base64Request(file: Buffer): LoadRequest {
  return postJson(PATH, { image: file.toString('base64') });
}
