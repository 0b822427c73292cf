import base64

import numpy as np
from calls import DIGIT, ROW, TEXTS, URL, report
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.cloud.aiplatform_v1 import PredictionServiceClient

address = {"api_endpoint": URL, "api_transport": "rest", "credentials": AnonymousCredentials()}
aiplatform.init(project="p", location="europe-west1", **address)
generated = PredictionServiceClient(
    transport="rest", credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=URL)
)
FULL = "projects/p/locations/europe-west1/endpoints/iris"


def names(found):
    return [each.display_name for each in found]


def label():
    content = base64.b64encode(DIGIT).decode()
    endpoint = aiplatform.Endpoint("digits")
    return endpoint.predict([{"content": content}], parameters={"maxPredictions": 1}).predictions[0]["displayNames"]


def private(name):
    return aiplatform.PrivateEndpoint(name)


report(
    {
        "predict": lambda: aiplatform.Endpoint("iris").predict([ROW]).predictions,
        "predict by full name": lambda: aiplatform.Endpoint(FULL).predict([ROW]).predictions,
        "predict by ENDPOINT_MODELS": lambda: aiplatform.Endpoint("blue").predict([ROW]).model_version_id,
        "predict with parameters": label,
        "predict with texts": lambda: np.shape(aiplatform.Endpoint("bert-sentiment").predict(TEXTS).predictions),
        "predict with texts as content": lambda: [each["displayNames"][0] for each in aiplatform.Endpoint("bert-sentiment").predict([{"content": text, "mimeType": "text/plain"} for text in TEXTS]).predictions],
        "predict for a table": lambda: aiplatform.Endpoint("forest").predict([ROW]).predictions,
        "predict, unknown": lambda: aiplatform.Endpoint("rose").predict([ROW]),
        "list_models": lambda: [each.id for each in aiplatform.Endpoint("iris").list_models()],
        "traffic_split": lambda: aiplatform.Endpoint("blue").traffic_split,
        "list": lambda: names(aiplatform.Endpoint.list()),
        "list by name": lambda: names(aiplatform.Endpoint.list(filter='display_name="blue"')),
        "list, then predict": lambda: aiplatform.Endpoint.list(filter='display_name="iris"')[0]
        .predict([ROW])
        .predictions,
        "list by another filter": lambda: aiplatform.Endpoint.list(filter='create_time>"2026"'),
        "private, predict": lambda: private("iris").predict([ROW]).predictions,
        "private, version": lambda: private("blue").predict([ROW]).deployed_model_id,
        "private, raw": lambda: private("iris")
        .raw_predict(b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}', {"content-type": "application/json"})
        .status,
        "private, health": lambda: private("iris").health_check(),
        "private, list": lambda: names(aiplatform.PrivateEndpoint.list()),
        "private, unknown": lambda: private("rose"),
        "private, wrong": lambda: private("iris").predict([[1]]),
        "generated, raw_predict": lambda: generated.raw_predict(
            endpoint=FULL, http_body={"content_type": "application/json", "data": b'{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'}
        ).data,
        "models": lambda: aiplatform.Model.list(),
        "explain": lambda: aiplatform.Endpoint("iris").explain([ROW]),
    }
)
