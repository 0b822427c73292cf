import { DATATYPES, type Datatype, datatypeOfOnnxCode } from '../../shared/tensor/datatype.ts';
import { float16ToNumber } from '../../shared/tensor/float16.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import { extremesOf, type NumberAttribute, readNumberAttributes } from './attributes.ts';
import type { Feeds } from './conditions.ts';
import type { OpenOptions } from './open-model.ts';
import type { SweepCase } from './read-suite.ts';

/** One way to offer the model of a case to clients. */
export interface Variant {
  readonly kind:
    | 'open shapes'
    | 'constant weights'
    | 'input left out'
    | 'other type'
    | 'older operator set'
    | 'attributes';
  readonly text: string;
  readonly of: SweepCase;
  readonly options: OpenOptions;
  readonly feeds: Feeds;
}

/** Types that often have other kernels than float32. */
const TYPES: readonly Datatype[] = ['FP64', 'FP16', 'UINT8', 'INT8', 'INT32', 'INT64', 'BOOL', 'BYTES'];
/** Versions of the default operator set around which kernels differ. */
export const OPSETS = [23, 21, 18, 16, 13, 11, 9];

/** All except those that only a file can cause. */
export function variantsOf(cases: readonly SweepCase[]): Variant[] {
  const variants: Variant[] = [];
  const firsts = new Set(firstCases(cases));
  for (const of of cases) {
    variants.push({ kind: 'open shapes', text: 'no shapes declared', of, options: {}, feeds: of.feeds });
    variants.push(...keepWeights(of));
    // Kernels differ by type and version, not by case.
    if (!firsts.has(of)) continue;
    variants.push(...leaveOut(of), ...changeTypes(of), ...changeOpsets(of));
  }
  return variants;
}

/**
 * Attributes of numbers at their extremes: those that a case has, and in the first case of each operator those that it
 * leaves out.
 */
export function attributeVariantsOf(
  cases: readonly SweepCase[],
  leftOut: ReadonlyMap<SweepCase, readonly NumberAttribute[]>,
): Variant[] {
  const varied = new Set<string>();
  return cases.flatMap((of) => {
    const { domain, operator, opset, attributes } = of;
    // The same file with other inputs fails in the same ways.
    const key = [domain, operator, opset, attributes].join('|');
    if (varied.has(key)) return [];
    varied.add(key);
    return [...readNumberAttributes(of), ...(leftOut.get(of) ?? [])].flatMap((number) =>
      extremesOf(number).map(({ text, attribute }): Variant => {
        const change = { domain, operator, name: number.name, attribute };
        return { kind: 'attributes', text, of, options: { attribute: change }, feeds: of.feeds };
      }),
    );
  });
}

/** The attributes of the case of a variant, as `name=value`, without one that the variant changes. */
export function otherAttributes({ of, options: { attribute } }: Variant): string {
  const isOther = (text: string) => !attribute || !text.startsWith(`${attribute.name}=`);
  return of.attributes.split(', ').filter(isOther).join(', ');
}

/** The first case of each operator. */
export function firstCases(cases: readonly SweepCase[]): SweepCase[] {
  const firsts = new Map<string, SweepCase>();
  for (const of of cases) {
    const key = `${of.domain} ${of.operator}`;
    if (!firsts.has(key)) firsts.set(key, of);
  }
  return [...firsts.values()];
}

/** Numbers of axes of what is fed, by name. */
export function ranksOf(feeds: Feeds): ReadonlyMap<string, number> {
  return new Map([...feeds].map(([name, { shape }]) => [name, shape.length]));
}

/** The first input is fed, all others are constants, for which the runtime prepares other paths through its kernels. */
function keepWeights(of: SweepCase): Variant[] {
  const [first, ...others] = of.feeds;
  const constants = new Map(others);
  const areNamedAlike = others.every(
    ([name, { datatype }]) => of.inputs.includes(name) && datatype !== 'BYTES',
  );
  if (!first || others.length === 0 || !areNamedAlike) return [];
  return [
    {
      kind: 'constant weights',
      text: 'constant weights',
      of,
      options: { constants },
      feeds: new Map([first]),
    },
  ];
}

function leaveOut(of: SweepCase): Variant[] {
  if (of.nodes !== 1) return [];
  return of.inputs.flatMap((without): Variant[] => {
    if (!of.feeds.has(without)) return [];
    const feeds = new Map(of.feeds);
    feeds.delete(without);
    return [{ kind: 'input left out', text: `without ${without}`, of, options: { without }, feeds }];
  });
}

function changeTypes(of: SweepCase): Variant[] {
  const [code] = of.types;
  const from = code === undefined ? undefined : datatypeOfOnnxCode(code);
  if (code === undefined || !from) return [];
  return TYPES.filter((to) => to !== from).map((to): Variant => {
    const feeds = new Map(
      [...of.feeds].map(([name, tensor]) => [name, tensor.datatype === from ? convert(tensor, to) : tensor]),
    );
    const types = new Map([[code, DATATYPES[to].code]]);
    return {
      kind: 'other type',
      text: `${DATATYPES[from].onnx} as ${DATATYPES[to].onnx}`,
      of,
      options: { types },
      feeds,
    };
  });
}

function changeOpsets(of: SweepCase): Variant[] {
  if (of.domain !== '') return [];
  return OPSETS.filter((opset) => opset < of.opset).map((opset) => ({
    kind: 'older operator set',
    text: `operator set ${opset}`,
    of,
    options: { opset },
    feeds: of.feeds,
  }));
}

function convert(tensor: Tensor, to: Datatype): Tensor {
  const numbers = Array.from<unknown, number>(tensor.data, (element) => {
    const number = tensor.datatype === 'FP16' ? float16ToNumber(Number(element)) : Number(element);
    if (!Number.isFinite(number)) return 0;
    // Whole numbers that differ, within what each type holds.
    return DATATYPES[to].kind === 'float' ? number : Math.abs(Math.round(number * 4)) % 100;
  });
  return { datatype: to, shape: tensor.shape, data: DATATYPES[to].fromNumbers(numbers) };
}
