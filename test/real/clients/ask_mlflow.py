import os

import numpy as np
import pandas
from calls import HOST, NAMED, NAMES, ROW, TEXTS, URL, report

os.environ["DATABRICKS_HOST"] = URL
os.environ["DATABRICKS_TOKEN"] = "any"

from mlflow.deployments import get_deploy_client  # noqa: E402
from mlflow.pyfunc.scoring_server.client import ScoringServerClient  # noqa: E402

gateway = get_deploy_client(URL)
databricks = get_deploy_client("databricks")
host, port = HOST.split(":")
scoring = ScoringServerClient(host, int(port))
table = pandas.DataFrame({name: [value] for name, value in NAMED.items()})

FORMS = {
    "instances": {"instances": [ROW]},
    "inputs": {"inputs": [ROW]},
    "inputs by column": {"inputs": {name: [value] for name, value in NAMED.items()}},
    "records": {"dataframe_records": [NAMED]},
    "split": {"dataframe_split": {"columns": NAMES, "data": [ROW]}},
}

report(
    {
        **{
            f"gateway, {form}": lambda inputs=inputs: gateway.predict(endpoint="iris", inputs=inputs)
            for form, inputs in FORMS.items()
        },
        "gateway, texts": lambda: np.shape(
            gateway.predict(endpoint="bert-sentiment", inputs={"dataframe_split": {"columns": ["text"], "data": [[text] for text in TEXTS]}})["predictions"]
        ),
        "gateway, table": lambda: gateway.predict(endpoint="forest", inputs={"inputs": [ROW]}),
        "gateway, vectors": lambda: len(
            gateway.predict(endpoint="sentence-mean", inputs={"input": "a text"})["data"][0]["embedding"]
        ),
        "gateway, get": lambda: gateway.get_endpoint("blue").model_dump(),
        "gateway, list": lambda: [each.name for each in gateway.list_endpoints()],
        "gateway, get unknown": lambda: gateway.get_endpoint("rose"),
        "gateway, predict unknown": lambda: gateway.predict(endpoint="rose", inputs={"instances": [ROW]}),
        "gateway, predict wrong": lambda: gateway.predict(endpoint="iris", inputs={"instances": [[1]]}),
        "databricks, predict": lambda: databricks.predict(endpoint="iris", inputs={"instances": [ROW]}),
        "databricks, get": lambda: databricks.get_endpoint("blue")["config"]["served_entities"],
        "databricks, list": lambda: [each["name"] for each in databricks.list_endpoints()],
        "databricks, unknown": lambda: databricks.get_endpoint("rose"),
        "databricks, predict unknown": lambda: databricks.predict(endpoint="rose", inputs={"instances": [ROW]}),
        "scoring, frame": lambda: scoring.invoke(table).get_predictions("ndarray"),
        "scoring, list": lambda: scoring.invoke([ROW]).get_predictions("ndarray"),
        "scoring, array": lambda: scoring.invoke(np.array([ROW])).get_predictions("ndarray"),
        "scoring, params": lambda: scoring.invoke(table, {"a": 1}).get_predictions("ndarray"),
        "scoring, ping": lambda: scoring.ping(),
        "scoring, version": lambda: scoring.get_version() != "",
    }
)
