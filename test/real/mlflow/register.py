"""Logs a graph as a model, and registers it with an alias; prints the URI of the run."""

import sys

import mlflow
import mlflow.onnx
import onnx

tracking, graph = sys.argv[1:]
mlflow.set_tracking_uri(tracking)
with mlflow.start_run() as run:
    mlflow.onnx.log_model(onnx.load(graph), name="flowers", registered_model_name="iris")
mlflow.MlflowClient().set_registered_model_alias("iris", "champion", "1")
print(run.info.run_id)
