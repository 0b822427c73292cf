import type { NodeShapes } from './node-shapes.ts';
import { nameOperator } from './walk.ts';

/** Sizes of the spatial axes, without those of the images and channels. */
type Places = readonly number[];

/** What is known about constants. */
interface Constants {
  isConstant(name: string): boolean;
  numbers(name: string): readonly (readonly number[])[];
}

/** Operators with filters, and the operand that holds the filters. */
const FILTERS: ReadonlyMap<string, number> = new Map([
  ['Conv', 1],
  ['com.microsoft.FusedConv', 1],
  ['QLinearConv', 3],
  ['com.microsoft.QLinearConv', 3],
  ['com.microsoft.nchwc.Conv', 1],
]);
const POOLS: ReadonlySet<string> = new Set(
  ['MaxPool', 'AveragePool', 'com.microsoft.QLinearAveragePool'].concat(
    // In files that the runtime has optimised and saved for one kind of processor.
    ['com.microsoft.nchwc.MaxPool', 'com.microsoft.nchwc.AveragePool'],
  ),
);
/** Operators that reduce all positions to one. */
const WHOLE: ReadonlySet<string> = new Set([
  'GlobalAveragePool',
  'GlobalMaxPool',
  'com.microsoft.QLinearGlobalAveragePool',
]);
/** Operators that work on each position alone. */
const POINTS: ReadonlySet<string> = new Set(
  ['Add', 'Sub', 'Mul', 'Div', 'Sum', 'Max', 'Min', 'Relu', 'LeakyRelu', 'PRelu', 'Clip', 'Sigmoid', 'Tanh']
    .concat(['Elu', 'Selu', 'HardSigmoid', 'HardSwish', 'Erf', 'Gelu', 'Identity', 'Cast', 'Dropout'])
    .concat(['BatchNormalization', 'QuantizeLinear', 'DequantizeLinear'])
    .concat(['Add', 'Mul', 'LeakyRelu', 'Sigmoid'].map((name) => `com.microsoft.QLinear${name}`)),
);
const JOINS: ReadonlySet<string> = new Set(['Concat', 'com.microsoft.QLinearConcat']);
const CHANNELS = 1;
const FIRST_PLACE = 2;

/** Whether a node determines how many positions the nodes after it have. */
export function isOfPlaces(operator: string): boolean {
  return [FILTERS, POOLS, WHOLE, POINTS, JOINS].some((known) => known.has(operator)) || operator === 'Pad';
}

/**
 * How many positions the first filter or pool of a chain needs in its input so that each pool after it has some in its
 * output. The runtime uses its own layout for the channels of such a chain, and its pools for that layout divide by the
 * number of their output positions.
 *
 * @param nodes those that `isOfPlaces`, in order
 * @returns the numbers by the name of the node's first output
 */
export function findLeastPlaces(
  nodes: readonly NodeShapes[],
  constants: Constants,
): ReadonlyMap<string, Places> {
  const { chain, firsts } = findChains(nodes, constants);
  const needs = new Map<string, Places>();
  for (const shapes of nodes.toReversed()) {
    const { operator, output } = nameNode(shapes);
    if (!chain.has(output)) continue;
    const need = needs.get(output);
    const before = needBefore(shapes, operator, need, constants);
    if (!before) continue;
    const isOfMany = POINTS.has(operator) || JOINS.has(operator);
    for (const name of isOfMany ? shapes.node.inputs : shapes.node.inputs.slice(0, 1)) {
      if (isOfMany && !chain.has(name)) continue;
      const other = needs.get(name);
      needs.set(name, other ? before.map((size, axis) => Math.max(size, other[axis] ?? 0)) : before);
    }
  }
  const found = firsts.map(([output, input]) => [output, needs.get(input)] as const);
  return new Map(found.flatMap(([output, need]) => (need ? [[output, need]] : [])));
}

function nameNode({ node: { domain, type, outputs } }: NodeShapes) {
  return { operator: nameOperator(domain, type), output: outputs[0] ?? '' };
}

/** The values that come from filters through operators on each position, and the nodes at the start of such chains. */
function findChains(nodes: readonly NodeShapes[], constants: Constants) {
  const chain = new Set<string>();
  /** Values with one position, which are broadcast to the other operand. */
  const single = new Set<string>();
  const firsts: (readonly [output: string, input: string])[] = [];
  let hasFilters = false;
  for (const shapes of nodes) {
    const { operator, output } = nameNode(shapes);
    const [input = ''] = shapes.node.inputs;
    const isFilter = FILTERS.has(operator);
    if (WHOLE.has(operator)) single.add(output);
    else if (isFilter || POOLS.has(operator)) {
      // There a pool whose window exceeds one position has no output.
      if (isFilter && single.has(input)) single.add(output);
      else if (windowOf(shapes, operator) && (isFilter || hasFilters)) {
        if (!chain.has(input)) firsts.push([output, input]);
        chain.add(output);
      }
      hasFilters ||= isFilter;
    } else if (operator === 'Pad') {
      if (chain.has(input) && paddingOf(shapes, constants)) chain.add(output);
    } else {
      const sources = shapes.node.inputs.filter((name) => name !== '' && !constants.isConstant(name));
      const others = sources.filter((name) => !single.has(name));
      const isJoin = JOINS.has(operator) && shapes.integer('axis', CHANNELS) === CHANNELS;
      const isChain = isJoin
        ? others.some((name) => chain.has(name))
        : POINTS.has(operator) && others.every((name) => chain.has(name));
      if (others.length === 0) single.add(output);
      else if (isChain) chain.add(output);
    }
  }
  return { chain, firsts };
}

/** How many positions a node needs in its input, so that those after it get what they need. */
function needBefore(
  shapes: NodeShapes,
  operator: string,
  need: Places | undefined,
  constants: Constants,
): Places | undefined {
  const window = windowOf(shapes, operator);
  if (window) {
    const isPool = POOLS.has(operator);
    if (!need && !isPool) return undefined;
    return window.map(({ reach, stride }, axis) => {
      const places = Math.max(isPool ? 1 : 0, need?.[axis] ?? 0);
      return places === 0 ? 0 : Math.max(0, (places - 1) * stride + reach);
    });
  }
  if (operator !== 'Pad' || !need) return need;
  const padding = paddingOf(shapes, constants);
  return need.map((size, axis) => Math.max(0, size - (padding?.[axis] ?? 0)));
}

/** For each spatial axis, how many positions the first result needs, and how many more each further result needs. */
function windowOf(
  shapes: NodeShapes,
  operator: string,
): readonly { readonly reach: number; readonly stride: number }[] | undefined {
  const filters = FILTERS.get(operator);
  if (filters === undefined && !POOLS.has(operator)) return undefined;
  if (shapes.integer('channels_last', 0) !== 0) return undefined;
  const given = shapes.integers('kernel_shape');
  const known = filters === undefined ? undefined : shapes.input(filters).sizes?.slice(FIRST_PLACE);
  const kernel = given.length > 0 ? given : known;
  if (!kernel || kernel.length === 0) return undefined;
  const [strides, dilations, pads] = ['strides', 'dilations', 'pads'].map((name) => shapes.integers(name));
  const automatic = shapes.text('auto_pad');
  const isCeil = shapes.integer('ceil_mode', 0) !== 0;
  const windows = kernel.map((size, axis) => {
    if (size === undefined) return undefined;
    const stride = strides?.[axis] ?? 1;
    if (automatic?.startsWith('SAME')) return { reach: 1, stride };
    const padding = (pads?.[axis] ?? 0) + (pads?.[axis + kernel.length] ?? 0);
    const reach = (dilations?.[axis] ?? 1) * (size - 1) + 1 - padding - (isCeil ? stride - 1 : 0);
    return { reach, stride };
  });
  return windows.every((window) => window !== undefined) ? windows : undefined;
}

/** The output sizes of a filter or a pool, if the file determines them. */
export function sizesAfter(
  shapes: NodeShapes,
  operator: string,
): readonly (number | undefined)[] | undefined {
  const window = windowOf(shapes, operator);
  const { sizes } = shapes.input(0);
  if (!window || sizes?.length !== FIRST_PLACE + window.length) return undefined;
  // If the last window is incomplete, it depends on the version of the operator whether it counts.
  const isExact = shapes.integer('ceil_mode', 0) === 0;
  const places = window.map(({ reach, stride }, axis) => {
    const size = sizes[FIRST_PLACE + axis];
    return isExact && size !== undefined && size >= reach
      ? Math.floor((size - reach) / stride) + 1
      : undefined;
  });
  const filters = FILTERS.get(operator);
  const channels = filters === undefined ? sizes[CHANNELS] : shapes.input(filters).sizes?.[0];
  return [sizes[0], channels, ...places];
}

/** What a Pad adds at both ends of each spatial axis; undefined if the file does not say. */
function paddingOf(shapes: NodeShapes, { numbers }: Constants): Places | undefined {
  const [, list = '', , axes = ''] = shapes.node.inputs;
  const given = shapes.integers('pads');
  const pads = given.length > 0 ? given : numbers(list)[0];
  if (!pads || axes !== '') return undefined;
  const rank = pads.length / 2;
  return pads.slice(FIRST_PLACE, rank).map((pad, axis) => pad + (pads[FIRST_PLACE + axis + rank] ?? 0));
}
