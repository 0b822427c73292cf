import type { ImageStep } from '../registry.ts';

/** What is wrong with a step among others. */
interface Problem {
  readonly index: number;
  readonly message: string;
}

/** The order in which steps make sense: pixels are moved and mixed as bytes, then become values, then change layout. */
const STAGE: Record<ImageStep['step'], number> = {
  decode: 0,
  orient: 1,
  convert: 1,
  resize: 1,
  centerCrop: 1,
  rescale: 2,
  normalize: 2,
  layout: 3,
  datatype: 3,
};

/** Steps that make no sense twice. */
const ONCE: ReadonlySet<string> = new Set(['decode', 'orient', 'layout', 'datatype']);

/** Finds steps in an order that makes no sense, and numbers per channel for other channels than the image has. */
export function checkSteps(steps: readonly ImageStep[]): Problem[] {
  const problems: Problem[] = [];
  let channels: number | undefined;
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    const report = (message: string) => problems.push({ index, message });
    if (before && STAGE[before.step] > STAGE[step.step]) {
      report(`"${step.step}" must come before "${before.step}"`);
    } else if (ONCE.has(step.step) && steps.findIndex((other) => other.step === step.step) < index) {
      report(`"${step.step}" can stand only once`);
    }
    if (step.step === 'convert') channels = step.mode === 'grey' ? 1 : 3;
    const wrong = channels === undefined ? undefined : findWrongCount(step, channels);
    if (wrong)
      report(`"${step.step}" has ${wrong.count} numbers of "${wrong.name}" for ${channels} channels`);
  }
  return problems;
}

function findWrongCount(step: ImageStep, channels: number): { name: string; count: number } | undefined {
  const lists: Record<string, unknown> = step.step === 'normalize' ? { mean: step.mean, std: step.std } : {};
  if (step.step === 'resize') lists.pad = step.pad;
  for (const [name, list] of Object.entries(lists)) {
    if (Array.isArray(list) && list.length !== 1 && list.length !== channels)
      return { name, count: list.length };
  }
  return undefined;
}
