/** Seconds: the ends of buckets that Prometheus' client for Python gives. Source: prometheus/client_python 0.26, metrics.py. */
export const PYTHON_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
