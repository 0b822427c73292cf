// Asks a model with the own code of this project, as its clients do. It is JavaScript, so that it runs on Node 20 as well.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadConfig, open } from 'ternion';

const iris = await open('iris', await loadConfig());
after(() => iris.close());

test('a flower that the model is sure about', async () => {
  const { species, confidence } = await iris.predict([5.1, 3.5, 1.4, 0.2]);
  assert.equal(species, 'setosa');
  assert.ok(Math.abs(confidence - 0.9999) < 1e-3, String(confidence));
});

test('a flower between two species', async () => {
  const flower = { sepal_length: 6.3, sepal_width: 2.5, petal_length: 4.9, petal_width: 1.5 };
  const { species, reason } = await iris.predict(flower);
  assert.deepEqual([species, reason], [null, 'unsure']);
});

test('a mistake of the client', async () => {
  await assert.rejects(iris.predict([5.1, 3.5, 1.4, 'wide']), { status: 400, message: /petal_width/ });
});
