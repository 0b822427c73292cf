import asyncio
import base64

import numpy as np
from calls import DIGIT, ROW, TEXTS, URL, report
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

first = InferenceRESTClient(RESTConfig(protocol="v1"))
second = InferenceRESTClient(RESTConfig(protocol="v2"))
# The connections of a client belong to one loop.
run = asyncio.new_event_loop().run_until_complete
ROWS = {"instances": [ROW]}


def request(binary):
    tensor = InferInput("features", [1, 4], "FP32")
    tensor.set_data_from_numpy(np.array([ROW], dtype=np.float32), binary_data=binary)
    return InferRequest("iris", [tensor], request_outputs=[RequestedOutput("logits", {"binary_data": binary})])


def texts():
    tensor = InferInput("text", [len(TEXTS)], "BYTES")
    tensor.set_data_from_numpy(np.array(TEXTS, dtype=object), binary_data=False)
    return InferRequest("bert-sentiment", [tensor])


def infer(client, data, **options):
    return run(client.infer(URL, data, **{"model_name": "iris", **options}))


def logits(answer):
    return answer.outputs[0].as_numpy()


def graph(path, client, data):
    return run(client.infer(f"{URL}{path}", data, is_graph_endpoint=True))


report(
    {
        "v1 infer": lambda: infer(first, ROWS),
        "v1 image": lambda: np.argmax(
            infer(
                first,
                {"instances": [{"image_bytes": {"b64": base64.b64encode(DIGIT).decode()}}]},
                model_name="digits",
            )["predictions"][0]
        ),
        "v1 texts": lambda: np.shape(infer(first, {"instances": TEXTS}, model_name="bert-sentiment")["predictions"]),
        "v1 table": lambda: infer(first, ROWS, model_name="forest"),
        "v1 ready": lambda: run(first.is_model_ready(URL, "iris")),
        "v1 unknown": lambda: infer(first, ROWS, model_name="rose"),
        "v2 infer": lambda: logits(infer(second, request(False))),
        "v2 infer, binary": lambda: logits(infer(second, request(True))),
        "v2 texts": lambda: logits(infer(second, texts(), model_name="bert-sentiment")).shape,
        "v2 server": lambda: [
            run(second.is_server_ready(URL)),
            run(second.is_server_live(URL)),
            run(second.is_model_ready(URL, "iris")),
            run(second.is_model_ready(URL, "rose")),
        ],
        "v2 unknown": lambda: infer(second, request(False), model_name="rose"),
        "graph, v1": lambda: graph("/", first, ROWS),
        "graph, v2": lambda: graph("/", second, request(False))["outputs"][0]["data"],
        "graph of a model": lambda: graph("/models/iris", second, request(False))["model_name"],
        "graph, unknown": lambda: graph("/models/rose", second, request(False)),
    }
)
