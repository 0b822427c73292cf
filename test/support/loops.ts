import {
  BOOL,
  buildModel,
  buildNode,
  FLOAT,
  graphAttribute,
  INT64,
  initializer,
  integerAttribute,
  tensorAttribute,
  tensorValue,
} from './build-model.ts';

const FLOAT64 = 11;

/** A constant of one whole number. */
export const scalar = (name: string, value: bigint) =>
  buildNode('Constant', [], [name], {
    attributes: [
      tensorAttribute('value', initializer('', INT64, [], new Uint8Array(BigInt64Array.of(value).buffer))),
    ],
  });
const yes = buildNode('Constant', [], ['yes'], {
  attributes: [tensorAttribute('value', initializer('', BOOL, [], Uint8Array.of(1)))],
});

/** Adds 1 to `x` as often as `turns` says. */
const body = graphAttribute('body', {
  inputs: [tensorValue('turn', INT64, []), tensorValue('on', BOOL, []), tensorValue('sum', FLOAT)],
  nodes: [
    buildNode('Identity', ['on'], ['again']),
    buildNode('Cos', ['sum'], ['one']),
    buildNode('Add', ['sum', 'one'], ['next']),
  ],
  outputs: [tensorValue('again', BOOL, []), tensorValue('next', FLOAT)],
});
/** A model with a Loop of `turns` turns, and nodes before it. */
export const loopModel = (before: readonly Uint8Array[], turns: string) =>
  buildModel({
    nodes: [yes, ...before, buildNode('Loop', [turns, 'yes', 'x'], ['y'], { attributes: [body] })],
    inputs: [tensorValue('x', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 2])],
  });
/** A model that takes a fixed number of turns. */
export const countingTo = (turns: bigint) => loopModel([scalar('turns', turns)], 'turns');
/** A model that takes as many turns as its input has rows. */
export const countingRows = loopModel(
  [
    buildNode('Shape', ['x'], ['shape']),
    buildNode('Gather', ['shape', 'zero'], ['turns']),
    scalar('zero', 0n),
  ].reverse(),
  'turns',
);
/** A model that runs as many turns as its input `stop`, of float64, says; the Loop itself has no count. */
export const countingToStop = buildModel({
  nodes: [
    buildNode('Loop', ['', '', 'x'], ['y'], {
      attributes: [
        graphAttribute('body', {
          inputs: [tensorValue('turn', INT64, []), tensorValue('on', BOOL, []), tensorValue('sum', FLOAT)],
          nodes: [
            buildNode('Cast', ['turn'], ['done'], { attributes: [integerAttribute('to', FLOAT64)] }),
            buildNode('Less', ['done', 'stop'], ['again']),
            buildNode('Cos', ['sum'], ['one']),
            buildNode('Add', ['sum', 'one'], ['next']),
          ],
          outputs: [tensorValue('again', BOOL, []), tensorValue('next', FLOAT)],
        }),
      ],
    }),
  ],
  inputs: [tensorValue('x', FLOAT, ['n']), tensorValue('stop', FLOAT64, [])],
  outputs: [tensorValue('y', FLOAT)],
});
