"""What a registry refuses because it serves its models, and prints what each call gave: refuse_registry.py <url> <source>."""

import json
import os
import sys
import urllib.request

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

URL, SOURCE = sys.argv[1:]
client = MlflowClient(URL)
results = []


def refusal(work):
    try:
        work()
    except MlflowException as error:
        return [error.error_code, str(error)]
    return "not refused"


def version_from(source):
    version = client.create_model_version("m", source, await_creation_for=0)
    return [version.status, version.status_message]


def predict():
    body = json.dumps({"features": [5.1, 3.5, 1.4, 0.2]}).encode()
    request = urllib.request.Request(f"{URL}/models/m/predict", body, {"content-type": "application/json"})
    return urllib.request.urlopen(request).status


client.create_registered_model("m")
client.create_model_version("m", SOURCE)
results.append(["predictions of 1", predict()])
results.append(["failed version", version_from("s3://elsewhere/model")])
results.append(["missing version", version_from(f"{SOURCE}/nothing")])
results.append(["awaited version", str(refusal(lambda: client.create_model_version("m", "file:///etc")))])
results.append(["download uri", client.get_model_version_download_uri("m", "1")])
client.create_model_version("m", SOURCE)
client.set_registered_model_alias("m", "champion", "1")
results.append(["delete aliased", refusal(lambda: client.delete_model_version("m", "1"))])
client.delete_registered_model_alias("m", "champion")
client.transition_model_version_stage("m", "1", "Production")
results.append(["delete live", refusal(lambda: client.delete_model_version("m", "1"))])
results.append(["delete model", refusal(lambda: client.delete_registered_model("m"))])
os.environ["MLFLOW_TRACKING_TOKEN"] = "another"
results.append(["wrong token", refusal(lambda: client.get_registered_model("m"))])

print(json.dumps(results))
