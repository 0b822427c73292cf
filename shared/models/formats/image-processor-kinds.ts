import { ModelError } from '../model-config.ts';
import {
  centerCrop,
  type FilterName,
  type ImageStepJson,
  resize,
  resizeShortestEdge,
} from './image-steps.ts';

export const PROCESSOR_FILE = 'preprocessor_config.json';

export type ImageSize =
  | { readonly height: number; readonly width: number }
  | { readonly shortestEdge: number };

/** The differences between image processors of transformers that their files do not show. */
export interface Kind {
  /** Whether a size of one number is a square, or the shorter side. */
  readonly square: boolean;
  /** The defaults for what the file does not set. */
  readonly crops: boolean;
  readonly normalizes: boolean;
  /** Whether its fast processor crops like torchvision instead of like transformers. */
  readonly cropsAsTorchvision?: boolean;
  readonly resize: (
    size: ImageSize,
    cropShare: number | undefined,
    filter: FilterName,
  ) => readonly ImageStepJson[];
}

const square: Kind = { square: true, crops: false, normalizes: true, resize: resizePlainly };
const shorter: Kind = { square: false, crops: true, normalizes: true, resize: resizePlainly };

/** By the class names of transformers 4.57, without their suffix. */
const KINDS: Readonly<Record<string, Kind>> = {
  ViT: square,
  Siglip: square,
  Pvt: square,
  Segformer: square,
  EfficientNet: square,
  Blip: square,
  DeiT: { ...square, crops: true },
  Beit: { ...square, crops: true },
  CLIP: shorter,
  ChineseCLIP: shorter,
  ViTHybrid: shorter,
  EfficientFormer: shorter,
  Bit: shorter,
  MobileNetV1: shorter,
  MobileNetV2: shorter,
  MobileViT: { ...shorter, normalizes: false },
  ConvNext: { ...shorter, crops: false, cropsAsTorchvision: true, resize: resizeForConvNext },
  Levit: { ...shorter, resize: resizeForLevit },
  PoolFormer: { ...shorter, resize: resizeForPoolFormer },
};

/**
 * @param type name of the class, such as `ViTImageProcessorFast`
 * @throws ModelError with a list of the known types
 */
export function kindOf(type: string): Kind {
  const name = type.replace(/(?:ImageProcessor|FeatureExtractor)(?:Fast|Pil)?$/, '');
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind) return kind;
  throw new ModelError(
    `its ${PROCESSOR_FILE} has the type ${JSON.stringify(type.slice(0, 60))}; Ternion supports ${Object.keys(KINDS).join(', ')}`,
  );
}

export function lacks(member: string): ModelError {
  return new ModelError(`its ${PROCESSOR_FILE} lacks "${member}"`);
}

function resizePlainly(size: ImageSize, _: unknown, filter: FilterName): readonly ImageStepJson[] {
  return 'shortestEdge' in size
    ? [resizeShortestEdge(size.shortestEdge, filter)]
    : [resize(size.width, size.height, filter)];
}

/** For small sizes the middle of a larger image is cropped; for others the image is squeezed into a square. */
function resizeForConvNext(
  size: ImageSize,
  cropShare: number | undefined,
  filter: FilterName,
): ImageStepJson[] {
  if (!('shortestEdge' in size)) throw lacks('size.shortest_edge');
  const edge = size.shortestEdge;
  if (edge >= 384) return [resize(edge, edge, filter)];
  return [
    resizeShortestEdge(Math.trunc(edge / (cropShare ?? 224 / 256)), filter),
    centerCrop(edge, edge, 'down'),
  ];
}

function resizeForLevit(size: ImageSize, _: unknown, filter: FilterName): readonly ImageStepJson[] {
  if (!('shortestEdge' in size)) return resizePlainly(size, undefined, filter);
  return [resizeShortestEdge(Math.trunc((256 / 224) * size.shortestEdge), filter)];
}

function resizeForPoolFormer(
  size: ImageSize,
  share: number | undefined,
  filter: FilterName,
): readonly ImageStepJson[] {
  if (share === undefined) return resizePlainly(size, share, filter);
  if ('shortestEdge' in size) return [resizeShortestEdge(Math.trunc(size.shortestEdge / share), filter)];
  const [width, height] = [Math.trunc(size.width / share), Math.trunc(size.height / share)];
  return size.width === size.height ? [resizeShortestEdge(width, filter)] : [resize(width, height, filter)];
}
