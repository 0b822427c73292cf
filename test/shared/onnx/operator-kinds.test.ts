import { describe, expect, it } from 'vitest';
import { MODEL } from '../../../shared/onnx/fields.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { GUARDS } from '../../../shared/onnx/guard-operators.ts';
import { USUAL_GUARDS } from '../../../shared/onnx/guard-usual.ts';
import { canNeedGuard, canNeedRareGuards, isUnbounded } from '../../../shared/onnx/operator-kinds.ts';
import { findProbabilities } from '../../../shared/onnx/probabilities.ts';
import { bytesSource, readFields } from '../../../shared/onnx/protobuf.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';

const only = (operator: string) => new Set([operator]);

describe('the kinds of operators', () => {
  it('need guards if the table has some', () => {
    expect([...GUARDS.keys()].filter((operator) => !canNeedGuard(operator))).toEqual([]);
    expect(canNeedGuard('Relu')).toBe(false);
  });

  it('need rare guards unless the usual ones are all that they have', () => {
    const rare = [...GUARDS.keys()].filter((operator) => !USUAL_GUARDS.has(operator));
    expect(rare.length).toBeGreaterThan(100);
    expect(rare.filter((operator) => !canNeedRareGuards(only(operator)))).toEqual([]);
    expect([...USUAL_GUARDS.keys()].filter((operator) => canNeedRareGuards(only(operator)))).toEqual([]);
    for (const [operator, rules] of USUAL_GUARDS) expect(GUARDS.get(operator)).toBe(rules);
  });

  it('may need rare guards if they are not known', () => {
    expect(canNeedRareGuards(new Set(['Relu', 'com.example.Relu']))).toBe(true);
  });
});

describe('an operator without bounds', () => {
  it.each(['Gemm', 'MatMul', 'Conv', 'LayerNormalization'])('makes no probabilities: %s', (type) => {
    expect(isUnbounded(type)).toBe(true);
    for (const domain of ['', 'ai.onnx.ml', 'com.microsoft', 'com.example']) {
      const model = buildModel({
        nodes: [
          buildNode('Sigmoid', ['x'], ['share']),
          buildNode(type, ['share', 'share'], ['y'], { domain }),
        ],
        inputs: [tensorValue('x', FLOAT, ['n', 2])],
        outputs: [tensorValue('y', FLOAT, ['n', 2])],
      });
      const source = bytesSource(model);
      const [graph] = readFields(source, 0, source.length, (number) => number === MODEL.graph);
      expect(graph && findProbabilities(source, graph, new Map([['y', 'y']]))).toEqual(new Set());
    }
  });

  it('says nothing about other outputs', async () => {
    const model = buildModel({
      nodes: [buildNode('Sigmoid', ['x'], ['share']), buildNode('MatMul', ['share', 'share'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 2])],
      outputs: [tensorValue('y', FLOAT, ['n', 2]), tensorValue('share', FLOAT, ['n', 2])],
    });
    expect((await readGraph(bytesSource(model))).probabilities).toEqual(new Set(['share']));
  });
});
