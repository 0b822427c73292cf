import * as z from 'zod/mini';
import type { TensorSpec } from '../../runtime/session.ts';
import { type ConfigReader, type ModelConfig, ModelError } from '../model-config.ts';
import { type FormatFolder, type GraphView, readJsonFile } from './format-folder.ts';
import { centerCrop, normalize, resizeShortestEdge, toPlanes, toRgb, toUnit } from './image-steps.ts';
import { addLabels, checkLabelCount, findScores } from './labels.ts';

const NAMES_FILE = 'index_to_name.json';

/** Names by the index of their class. */
const namesSchema = z.pipe(
  z.transform(unlist),
  z.record(
    z.string().check(z.regex(/^\d+$/, 'must be the index of a class')),
    z.union([z.string(), z.array(z.string()).check(z.minLength(1))]),
  ),
);

/** The steps of TorchServe's `image_classifier` handler, in the terms of torchvision. */
const SHORTER_SIDE = 256;
const SIDE = 224;
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/**
 * A model with TorchServe's `index_to_name.json`: labels, and for a graph of images the preprocessing of TorchServe's
 * own image handler. Any other graph takes tensors.
 * Source: pytorch/serve, ts/torch_handler/image_classifier.py and ts/utils/util.py.
 *
 * @throws ModelError when the labels do not match the graph
 */
export async function recogniseTorchServe(
  folder: FormatFolder,
  view: GraphView,
  reader: ConfigReader,
): Promise<ModelConfig | undefined> {
  const names = await readJsonFile(folder, NAMES_FILE, namesSchema);
  if (!names) return undefined;
  const labels = readLabels(names);
  const scores = findScores(view);
  checkLabelCount(labels, scores, NAMES_FILE);
  if (!takesImages(view.inputs) || !scores) return addLabels({ task: 'tensor' }, labels, reader);
  return {
    task: 'image-classification',
    labels,
    output: scores.name,
    preprocess: [
      toRgb(),
      resizeShortestEdge(SHORTER_SIDE, 'bilinear'),
      centerCrop(SIDE, SIDE),
      toUnit(),
      normalize(MEAN, STD),
      toPlanes(),
    ],
    postprocess: [{ step: 'softmax' }],
  };
}

/** Older files have the names in a list, under `object_type_names`. */
function unlist(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('object_type_names' in value)) return value;
  const { object_type_names: names } = value;
  return Array.isArray(names) ? Object.fromEntries(names.entries()) : value;
}

/** The last of several names counts; the first one is the code of the WordNet synset. */
function readLabels(names: z.infer<typeof namesSchema>): string[] {
  const count = Object.keys(names).length;
  return Array.from({ length: count }, (_, index) => {
    const name = names[index];
    const label = Array.isArray(name) ? name.at(-1) : name;
    if (label !== undefined) return label;
    throw new ModelError(`its ${NAMES_FILE} has ${count} names, but none for class ${index}`);
  });
}

/** A single input in channels-first layout that 3 x 224 x 224 fits. */
function takesImages(inputs: readonly TensorSpec[]): boolean {
  const [only, ...others] = inputs;
  if (!only || others.length > 0 || only.datatype !== 'FP32' || only.shape.length !== 4) return false;
  return [3, SIDE, SIDE].every((size, axis) => [-1, size].includes(only.shape[axis + 1] ?? 0));
}
