"""Servers without an official client: the code that their pages show, with requests and urllib."""

import base64
import json
import urllib.error
import urllib.request

import requests
from calls import DIGIT, DIGIT_FILE, NAMED, NAMES, ROW, TEXTS, URL, report


def read(answer):
    return answer.json() if answer.ok else [answer.status_code, answer.json().get("code")]


def get(path):
    return read(requests.get(URL + path))


def post(path, body, **options):
    return read(requests.post(URL + path, json=body, **options))


def consume(body, model="iris", **headers):
    """The code on the page "Consume" of an endpoint of Azure ML."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any", **headers}
    request = urllib.request.Request(f"{URL}/score?model_name={model}", json.dumps(body).encode(), headers)
    return json.loads(urllib.request.urlopen(request).read())


def first(found):
    return next(iter(found))


IRIS = "/v1/models/iris"
TABLE = {"columns": NAMES, "index": [0], "data": [ROW]}

report(
    {
        "TensorFlow Serving, status": lambda: get(IRIS)["model_version_status"][0]["state"],
        "TensorFlow Serving, metadata": lambda: get(f"{IRIS}/metadata")["model_spec"]["name"],
        "TensorFlow Serving, rows": lambda: post(f"{IRIS}:predict", {"instances": [ROW]}),
        "TensorFlow Serving, columns": lambda: post(f"{IRIS}:predict", {"inputs": [ROW]}),
        "TensorFlow Serving, version": lambda: post(f"{IRIS}/versions/2:predict", {"instances": [ROW]}),
        "TensorFlow Serving, label": lambda: post(f"{IRIS}/labels/none:predict", {"instances": [ROW]}),
        "TensorFlow Serving, classify": lambda: post(f"{IRIS}:classify", {"examples": [NAMED]})["results"][0][0][0],
        "TensorFlow Serving, image": lambda: len(
            post("/v1/models/digits:predict", {"instances": [{"b64": base64.b64encode(DIGIT).decode()}]})[
                "predictions"
            ][0]
        ),
        "TensorFlow Serving, texts": lambda: len(post("/v1/models/bert-sentiment:predict", {"instances": TEXTS})["predictions"]),
        "TensorFlow Serving, examples": lambda: [
            each[0][0] for each in post("/v1/models/bert-sentiment:classify", {"examples": [{"text": text} for text in TEXTS]})["results"]
        ],
        "TensorFlow Serving, metrics": lambda: requests.get(f"{URL}/monitoring/prometheus/metrics").status_code,
        "TorchServe, body": lambda: first(read(requests.put(f"{URL}/predictions/digits", data=DIGIT))),
        "TorchServe, form": lambda: first(
            read(requests.post(f"{URL}/predictions/digits/1", files={"data": DIGIT_FILE.open("rb")}))
        ),
        "TorchServe, data": lambda: post("/predictions/iris", {"data": [ROW]}),
        "TorchServe, texts": lambda: len(post("/predictions/bert-sentiment", TEXTS)),
        "TorchServe, versions": lambda: [each["modelVersion"] for each in get("/models/iris/all")],
        "TorchServe, ping": lambda: get("/ping"),
        "TorchServe, description": lambda: get("/api-description")["openapi"],
        "TorchServe, OPTIONS": lambda: read(requests.options(URL))["openapi"],
        "TorchServe, explanations": lambda: post("/explanations/iris", {"data": [ROW]}),
        "Azure ML, data": lambda: consume({"data": [ROW]}),
        "Azure ML, input_data": lambda: consume({"input_data": TABLE}),
        "Azure ML, texts": lambda: len(consume({"data": TEXTS}, "bert-sentiment")),
        "Azure ML, AutoML": lambda: consume({"Inputs": {"data": [NAMED]}, "GlobalParameters": 0}),
        "Azure ML, designer": lambda: consume({"Inputs": {"input1": [NAMED]}, "GlobalParameters": {}}),
        "Azure ML, deployment": lambda: consume({"data": [ROW]}, **{"azureml-model-deployment": "2"}),
    }
)
