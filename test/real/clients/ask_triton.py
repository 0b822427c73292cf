import asyncio

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from calls import DIGIT, HOST, ROW, TEXTS, report
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(HOST, concurrency=2)
flowers = np.array([ROW], dtype=np.float32)


def given(array=flowers, name="features", datatype="FP32", binary=True, of=triton):
    tensor = of.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


def wanted(binary=True, class_count=0):
    return triton.InferRequestedOutput("logits", binary_data=binary, class_count=class_count)


def infer(tensor=None, binary_out=True, **options):
    answer = client.infer("iris", [tensor or given()], outputs=[wanted(binary_out)], **options)
    return answer.as_numpy("logits")


def classify():
    photo = given(np.array([DIGIT], dtype=object), "image", "BYTES")
    return client.infer("digits", [photo], outputs=[wanted(class_count=1)]).as_numpy("logits")


def read_texts():
    texts = given(np.array(TEXTS, dtype=object), "text", "BYTES")
    return client.infer("bert-sentiment", [texts]).as_numpy("logits").shape


def generated():
    body, json_size = triton.InferenceServerClient.generate_request_body([given()])
    return [len(body) - json_size, json_size > 0]


async def infer_aio():
    async with triton_aio.InferenceServerClient(HOST) as other:
        answer = await other.infer("iris", [given(of=triton)])
        return answer.as_numpy("logits")


def load():
    client.load_model("iris")
    return client.is_model_ready("iris")


report(
    {
        "live, ready": lambda: [client.is_server_live(), client.is_server_ready()],
        "model ready, version, none": lambda: [
            client.is_model_ready("iris"),
            client.is_model_ready("iris", "1"),
            client.is_model_ready("rose"),
        ],
        "binary in and out": infer,
        "binary in, JSON out": lambda: infer(binary_out=False),
        "JSON in, binary out": lambda: infer(given(binary=False)),
        "JSON in and out": lambda: infer(given(binary=False), binary_out=False),
        "gzip both ways": lambda: infer(
            request_compression_algorithm="gzip", response_compression_algorithm="gzip"
        ),
        "deflate both ways": lambda: infer(
            request_compression_algorithm="deflate", response_compression_algorithm="deflate"
        ),
        "FP64 for FP32": lambda: infer(given(flowers.astype(np.float64), datatype="FP64")),
        "async": lambda: client.async_infer("iris", [given()]).get_result().as_numpy("logits"),
        "aio": lambda: asyncio.run(infer_aio()),
        "generated body": generated,
        "classification of bytes": classify,
        "texts": read_texts,
        "metadata": lambda: client.get_model_metadata("iris")["versions"],
        "configuration": lambda: client.get_model_config("iris")["name"],
        "index": lambda: [each["name"] for each in client.get_model_repository_index()],
        "statistics": lambda: client.get_inference_statistics("iris")["model_stats"][0]["name"],
        "load": load,
        "unknown model": lambda: client.infer("rose", [given()]),
        "wrong shape": lambda: client.infer("iris", [given(np.zeros((1, 3), np.float32))]),
        "trace settings": lambda: client.get_trace_settings(),
        "log settings": lambda: client.get_log_settings(),
        "shared memory": lambda: client.get_system_shared_memory_status(),
    }
)
