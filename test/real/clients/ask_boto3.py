import io
import json

import boto3
import numpy as np
from botocore.config import Config
from calls import DIGIT, ROW, URL, report

client = boto3.client(
    "sagemaker-runtime",
    endpoint_url=URL,
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 0}),
)
CSV = ",".join(map(str, ROW))


def invoke(**options):
    call = {"EndpointName": "iris", "ContentType": "text/csv", "Body": CSV, **options}
    return client.invoke_endpoint(**call)


def text(**options):
    return invoke(**options)["Body"].read()


def rows(**options):
    return json.loads(text(**options))


def array():
    file = io.BytesIO()
    np.save(file, np.array([ROW], dtype="float32"))
    return file.getvalue()


def stream(**options):
    call = {"EndpointName": "iris", "ContentType": "text/csv", "Body": CSV, **options}
    answer = client.invoke_endpoint_with_response_stream(**call)
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    return [len(parts), answer["ContentType"], answer["InvokedProductionVariant"], b"".join(parts)]


def late():
    events = client.meta.events
    add = lambda request, **_: request.headers.add_header("x-request-timeout-ms", "1")
    events.register("before-sign.sagemaker-runtime", add)
    try:
        return stream(EndpointName="vit", ContentType="image/png", Body=DIGIT)
    finally:
        events.unregister("before-sign.sagemaker-runtime", add)


report(
    {
        "CSV": rows,
        "CSV out": lambda: text(Accept="text/csv"),
        "JSON": lambda: rows(ContentType="application/json", Body=json.dumps({"instances": [ROW]})),
        "lines": lambda: rows(ContentType="application/jsonlines", Body=json.dumps(ROW)),
        "array": lambda: np.load(
            io.BytesIO(text(ContentType="application/x-npy", Accept="application/x-npy", Body=array()))
        ),
        "image": lambda: rows(EndpointName="digits", ContentType="application/x-image", Body=DIGIT)[0]["label"],
        "variant": lambda: invoke(TargetVariant="2")["InvokedProductionVariant"],
        "target model": lambda: rows(EndpointName="zoo", TargetModel="iris.tar.gz"),
        "component": lambda: rows(EndpointName="zoo", InferenceComponentName="iris"),
        "TensorFlow's container": lambda: rows(
            EndpointName="zoo",
            ContentType="application/json",
            Body=json.dumps({"instances": [ROW]}),
            CustomAttributes="tfs-model-name=iris,tfs-method=predict",
        ),
        "wrong": lambda: rows(Body="1,2"),
        "unknown": lambda: rows(EndpointName="rose"),
        "asynchronous": lambda: client.invoke_endpoint_async(EndpointName="iris", InputLocation="s3://a/b"),
        "stream": stream,
        "stream of CSV": lambda: stream(Accept="text/csv"),
        "stream, wrong": lambda: stream(Body="1,2"),
        "stream, unknown": lambda: stream(EndpointName="rose"),
        "stream, too late": late,
    }
)
