/**
 * The parts of the project, lowest first. A part may import parts of the levels below it, and parts of its own level
 * as long as they do not import each other in a circle. docs/architecture.md has them as a table. What runs in
 * browsers, the playground and the script of the page at /docs, is imported by nothing. It imports nothing but itself
 * and `shared/scrapes`, which the command uses as well.
 */
export const LEVELS: readonly (readonly string[])[] = [
  [
    'shared/errors',
    'shared/config',
    'shared/version',
    'shared/limiter',
    'shared/budget',
    'shared/measurement-keys',
    'shared/usage',
    'shared/leftovers',
    'shared/folder-lock',
    'shared/make-folder',
    'shared/memo',
    'shared/keep-fresh',
    'shared/node-modules',
    'shared/turns',
    'shared/scrapes',
  ],
  ['shared/onnx', 'shared/json', 'shared/tensor', 'shared/http'],
  ['shared/aws', 'shared/google', 'shared/azure'],
  [
    'shared/models',
    'shared/runtime',
    'shared/processing',
    'shared/monitoring',
    'shared/stores',
    'shared/pages',
  ],
  ['shared/values', 'shared/processors', 'shared/features', 'shared/releases', 'shared/registry'],
  ['shared/inference'],
  ['shared/answers'],
  ['shared/protocols'],
  ['shared/openapi'],
  ['shared/app', 'shared/own-requests'],
  ['functions'],
];
