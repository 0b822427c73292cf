"""
Serves the estimators of test/fixtures/answers as their users do: `serve.py mlflow|mlserver <folder> <port>`.

MLflow's scoring server of each model is below /<name>, with /onnx/<name> for its flavour of ONNX and /booster/<name> for the
booster alone, whose folders are left in <folder>/onnx and <folder>/boosters. MLServer has all of them as its models.
"""

import json
import os
import pathlib
import sys

import joblib
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "fixtures/answers"))

import estimators
from estimators import CATBOOST, LIGHTGBM, MODELS, SKLEARN, XGBOOST

# MLflow's flavour of ONNX makes one column of each output, so it takes no output with several.
FLAT = ["ridge", "xgboost-regressor", "lightgbm-regressor", "forest-numbers"]
# Inferring them takes seconds for each model.
NO_REQUIREMENTS = {"pip_requirements": []}
# By default MLflow refuses to read the forests that it has just written itself.
PICKLED = {"serialization_format": "cloudpickle"}
# A transformer has no `predict`, which MLflow's server calls.
WITHOUT_PREDICT = ["pca"]


def serve_mlflow(folder: pathlib.Path, port: int) -> None:
    import mlflow.catboost
    import mlflow.lightgbm
    import mlflow.onnx
    import mlflow.pyfunc
    import mlflow.sklearn
    import mlflow.xgboost
    import uvicorn
    from fastapi import FastAPI
    from mlflow.pyfunc import scoring_server

    folder.mkdir()
    app = FastAPI()

    def mount(path: str, saved: pathlib.Path) -> None:
        app.mount(f"/{path}", scoring_server.init(mlflow.pyfunc.load_model(str(saved))))

    for name in FLAT:
        graph = folder / f"{name}.onnx"
        estimators.export(name, graph)
        saved = folder / "onnx" / name / "1"
        mlflow.onnx.save_model(onnx.load(graph), saved, **NO_REQUIREMENTS)
        mount(f"onnx/{name}", saved)
    flavours = [
        (SKLEARN, mlflow.sklearn),
        (XGBOOST, mlflow.xgboost),
        (LIGHTGBM, mlflow.lightgbm),
        (CATBOOST, mlflow.catboost),
    ]
    for models, flavour in flavours:
        for name, model in models.items():
            if name in WITHOUT_PREDICT:
                continue
            options = PICKLED if models in (SKLEARN, LIGHTGBM) else {}
            flavour.save_model(model, folder / name, **NO_REQUIREMENTS, **options)
            mount(name, folder / name)
    boosters = [(name, model.get_booster(), mlflow.xgboost, {}) for name, model in XGBOOST.items()]
    boosters += [(name, model.booster_, mlflow.lightgbm, PICKLED) for name, model in LIGHTGBM.items()]
    for name, booster, flavour, options in boosters:
        saved = folder / "boosters" / name / "1"
        flavour.save_model(booster, saved, **NO_REQUIREMENTS, **options)
        mount(f"booster/{name}", saved)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def serve_mlserver(folder: pathlib.Path, port: int) -> None:
    for name, model in MODELS.items():
        place = folder / name
        place.mkdir(parents=True)
        if name in SKLEARN:
            file, implementation = "model.joblib", "mlserver_sklearn.SKLearnModel"
            joblib.dump(model, place / file)
        elif name in XGBOOST:
            file, implementation = "model.json", "mlserver_xgboost.XGBoostModel"
            model.save_model(place / file)
        elif name in LIGHTGBM:
            file, implementation = "model.bst", "mlserver_lightgbm.LightGBMModel"
            model.booster_.save_model(place / file)
        else:
            file, implementation = "model.cbm", "mlserver_catboost.CatboostModel"
            model.save_model(str(place / file))
        settings = {"name": name, "implementation": implementation, "parameters": {"uri": f"./{file}"}}
        (place / "model-settings.json").write_text(json.dumps(settings))
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "parallel_workers": 0,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    command = pathlib.Path(sys.executable).parent / "mlserver"
    # Instead of this process, so that a signal to it ends the server.
    os.execv(command, [command, "start", folder])


if __name__ == "__main__":
    _, server, folder, port = sys.argv
    {"mlflow": serve_mlflow, "mlserver": serve_mlserver}[server](pathlib.Path(folder), int(port))
