import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpServer, openHttpServer } from '../support/hosts/http-server.ts';
import { PROJECT } from '../support/project.ts';

interface Golden {
  readonly photos: readonly {
    readonly file: string;
    /** The answers of PyTorch, by class; the largest value of all photos is 20 away from zero. */
    readonly logits: readonly number[];
    /** The labels of the five largest, best first. */
    readonly top5: readonly string[];
  }[];
}

const FOLDER = join(PROJECT, 'test/fixtures/resnet');

/** Largest difference from PyTorch on the scale of +-20, which comes from sums in another order. */
const TOLERANCE = 1e-3;

// The large model exists only on machines where test/fixtures/resnet/resnet50.py was run.
const LARGE = { model: 'resnet50', title: "torchvision's ResNet50" };

describe.each([
  { model: 'small', title: 'a small ResNet' },
  ...(existsSync(join(FOLDER, LARGE.model)) ? [LARGE] : []),
])('$title over HTTP', ({ model }) => {
  const folder = join(FOLDER, model);
  describe('equals torchvision on Pillow', () => {
    let server: HttpServer;
    const { photos } = readGolden(folder);

    beforeAll(async () => {
      server = await openHttpServer({
        MODEL_REPOSITORY: join(folder, 'models'),
        // Five photos of half a megapixel in one request.
        MAX_BODY_BYTES: '2000000',
        MAX_IMAGE_PIXELS: '3000000',
      });
    });
    afterAll(() => server.close());

    it('in the logits of five photos in one tensor of files', async () => {
      const data = photos.map(({ file }) => readFileSync(join(folder, file)).toString('base64'));
      const response = await fetch(`${server.url}/v2/models/photos/infer`, {
        method: 'POST',
        body: JSON.stringify({
          inputs: [{ name: 'input', datatype: 'BYTES', shape: [photos.length], data }],
        }),
      });
      const { outputs } = await response.json();
      const expected = photos.flatMap(({ logits }) => logits);
      expect(outputs).toMatchObject([{ name: 'logits', datatype: 'FP32', shape: [5, expected.length / 5] }]);
      const differences = expected.map((logit, index) => Math.abs(logit - outputs[0].data[index]));
      expect(Math.max(...expected.map(Math.abs))).toBeCloseTo(20, 3);
      expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
    });

    it.each(photos)('in the five best labels of $file, in their order', async ({ file, logits, top5 }) => {
      const form = new FormData();
      form.set('file', new Blob([readFileSync(join(folder, file))]), file);
      const response = await fetch(`${server.url}/predict`, { method: 'POST', body: form });
      const answer = await response.json();
      expect(Object.keys(answer.top_5)).toEqual(top5);
      const largest = Math.max(...logits);
      const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
      expect(answer).toMatchObject({ prediction: top5[0], confidence: expect.closeTo(1 / sum, 3) });
    });
  });
});

function readGolden(folder: string): Golden {
  return JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'));
}
