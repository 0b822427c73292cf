"""Starts an MLflow server with a registry and artifacts of its own, as `mlflow server --workers 1` does, in one process."""

import os
import sys
import tempfile

import uvicorn
from mlflow.server import constants
from mlflow.server.handlers import initialize_backend_stores

port = int(sys.argv[1])
place = tempfile.mkdtemp(prefix="ternion-mlflow-")
registry = f"sqlite:///{place}/registry.db"
os.environ.update(
    {
        constants.BACKEND_STORE_URI_ENV_VAR: registry,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: f"{place}/artifacts",
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
)
initialize_backend_stores(registry, None, "mlflow-artifacts:/")
uvicorn.run("mlflow.server.fastapi_app:app", host="127.0.0.1", port=port, log_level="error")
