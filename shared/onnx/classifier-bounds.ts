import { ANY, type Bounds, SHARE } from './bounds.ts';
import type { Maker } from './bounds-search.ts';
import { countIds, ensembleBounds, forestBounds } from './forest-bounds.ts';
import { readFloats, readString } from './node-attributes.ts';
import { readList } from './nodes.ts';

/**
 * The bounds of the scores of the classifiers of ONNX-ML. If there is one number for two classes, the runtime makes two
 * scores of it and then skips a softmax. SVMClassifier has one number for two classes unless it has `prob_a`.
 */
export const CLASSIFIERS: Readonly<Record<string, (maker: Maker) => Bounds>> = {
  LinearClassifier: (maker) => (['LOGISTIC', 'SOFTMAX'].includes(transformOf(maker)) ? SHARE : ANY),
  SVMClassifier: (maker) => {
    if (readFloats(maker, 'prob_a').length > 0) return SHARE;
    const transform = transformOf(maker);
    return transform === 'LOGISTIC' ||
      (transform === 'SOFTMAX' && readList(maker.source, maker, 'classlabels')?.length !== 2)
      ? SHARE
      : ANY;
  },
  TreeEnsembleClassifier: (maker) => {
    const transform = transformOf(maker);
    if (transform === 'LOGISTIC') return SHARE;
    if (transform === 'SOFTMAX' && countIds(maker, 'class_ids') > 1) return SHARE;
    return transform === 'PROBIT' ? ANY : forestBounds(maker);
  },
  TreeEnsemble: ensembleBounds,
};

function transformOf(maker: Maker): string {
  const transform = readString(maker, 'post_transform') ?? 'NONE';
  return transform === 'SOFTMAX_ZERO' ? 'SOFTMAX' : transform;
}
