import { expect, it, onTestFinished } from 'vitest';
import { get, post } from '../../contracts/exchanges.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import { parseOpenMetrics, parsePrometheus } from '../../support/metrics-text.ts';

const ALL = 'ternion,triton,kserve,mlserver,torchserve,tei,tensorflow-serving';

function open(environment: Readonly<Record<string, string>>) {
  const app = openApp(environment);
  onTestFinished(() => app.close());
  return app;
}

it('gives the names of all servers at one path, and those of TensorFlow Serving at its own too', async () => {
  const app = open({ METRICS: ALL });
  await app.send(post('/models/iris/predict', { features: [5.1, 3.5, 1.4, 0.2] }));
  await app.send(post('/v1/models/iris:predict', { instances: [[5.1, 3.5, 1.4, 0.2], [1]] }));
  const { body } = await app.send(get('/metrics'));
  const families = new Map(parsePrometheus(body.toString()).map((family) => [family.name, family.samples]));
  const valuesOf = (name: string) => families.get(name)?.map(({ value }) => value);
  expect(valuesOf('nv_inference_request_success')).toEqual([1]);
  expect(valuesOf('nv_inference_request_failure')?.reduce((a, b) => a + b)).toBe(1);
  expect(valuesOf('model_infer_request_success_total')).toEqual([1]);
  expect(valuesOf('ts_inference_requests_total')).toEqual([2]);
  expect(valuesOf('te_request_success')).toEqual([1]);
  expect(families.get('request_predict_seconds')?.at(-1)?.value).toBe(1);
  expect(
    families.get(':tensorflow:serving:request_count')?.map(({ labels, value }) => [labels, value]),
  ).toEqual([
    [{ model_name: 'iris', status: 'OK' }, 1],
    [{ model_name: 'iris', status: 'INVALID_ARGUMENT' }, 1],
  ]);

  const own = await app.send(get('/monitoring/prometheus/metrics'));
  expect(own.status).toBe(200);
  const names = parsePrometheus(own.body.toString()).map(({ name }) => name);
  expect(names).toContain(':tensorflow:serving:request_count');
  expect(names.filter((name) => !name.startsWith(':tensorflow:'))).toEqual([]);
});

it('has that path only with these names', async () => {
  const app = open({ METRICS: 'triton' });
  expect((await app.send(get('/monitoring/prometheus/metrics'))).status).toBe(404);
  const { body } = await app.send(get('/metrics'));
  expect(parsePrometheus(body.toString()).every(({ name }) => name.startsWith('nv_'))).toBe(true);
});

it('writes OpenMetrics for those who ask for it', async () => {
  const app = open({ METRICS: ALL });
  await app.send(post('/models/iris/predict', { features: [5.1, 3.5, 1.4, 0.2] }));
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
  const { headers, body } = await app.send({ ...get('/metrics'), headers: { accept } });
  expect(headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(parseOpenMetrics(body.toString()).length).toBeGreaterThan(60);
});

it('asks for the token at both paths', async () => {
  const app = open({ METRICS: 'tensorflow-serving', METRICS_TOKEN: 'secret' });
  for (const path of ['/metrics', '/monitoring/prometheus/metrics']) {
    expect((await app.send(get(path))).status).toBe(401);
    expect((await app.send({ ...get(path), headers: { authorization: 'Bearer secret' } })).status).toBe(200);
  }
});
