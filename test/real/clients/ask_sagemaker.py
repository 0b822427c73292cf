import boto3
import numpy as np
import sagemaker
from calls import DIGIT_FILE, NAMED, ROW, TEXTS, URL, report
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer, NumpyDeserializer
from sagemaker.huggingface import HuggingFacePredictor
from sagemaker.iterators import ByteIterator, LineIterator
from sagemaker.predictor import Predictor
from sagemaker.pytorch import PyTorchPredictor
from sagemaker.serializers import (
    LibSVMSerializer,
    CSVSerializer,
    DataSerializer,
    IdentitySerializer,
    JSONLinesSerializer,
    JSONSerializer,
    NumpySerializer,
)
from sagemaker.sklearn import SKLearnPredictor
from sagemaker.tensorflow import TensorFlowPredictor
from sagemaker.xgboost import XGBoostPredictor

keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
session = sagemaker.Session(
    boto3.Session(**keys),
    sagemaker_client=object(),
    sagemaker_runtime_client=boto3.client("sagemaker-runtime", endpoint_url=URL, **keys),
)


def predict(data, serializer, deserializer, endpoint="iris"):
    return Predictor(endpoint, session, serializer=serializer, deserializer=deserializer).predict(data)


def stream(iterator):
    predictor = Predictor("iris", session, serializer=JSONSerializer())
    return list(predictor.predict_stream({"instances": [ROW]}, iterator=iterator))


def best(found):
    return best(found[0]) if isinstance(found, list) else found["label"]


tensorflow = TensorFlowPredictor("iris", session, model_name="iris", model_version="2")
image = DataSerializer(content_type="application/x-image")

report(
    {
        "CSV": lambda: predict([ROW], CSVSerializer(), CSVDeserializer()),
        "JSON": lambda: predict(np.array([ROW]), JSONSerializer(), JSONDeserializer()),
        "lines": lambda: predict([ROW], JSONLinesSerializer(), JSONLinesDeserializer()),
        "array": lambda: predict(np.array([ROW]), NumpySerializer(), NumpyDeserializer()),
        "bytes": lambda: predict(
            ",".join(map(str, ROW)).encode(), IdentitySerializer("text/csv"), JSONDeserializer()
        ),
        "image": lambda: predict(str(DIGIT_FILE), image, JSONDeserializer(), "digits")[0]["label"],
        "TensorFlow, predict": lambda: tensorflow.predict({"instances": [ROW]}),
        "TensorFlow, classify": lambda: tensorflow.classify({"examples": [NAMED]})["results"][0][0][0],
        "PyTorch": lambda: PyTorchPredictor("iris", session).predict(np.array([ROW], dtype="float32")),
        "Hugging Face": lambda: best(HuggingFacePredictor("bert-sentiment", session).predict({"inputs": "a text"})),
        "Hugging Face, texts": lambda: [best(each) for each in HuggingFacePredictor("bert-sentiment", session).predict({"inputs": TEXTS})],
        "scikit-learn": lambda: SKLearnPredictor("forest", session).predict(np.array([ROW, ROW])),
        "XGBoost, LibSVM": lambda: XGBoostPredictor("booster", session).predict("1:6.9 3:5.7 4:2.3\n"),
        "XGBoost, CSV": lambda: XGBoostPredictor("booster", session, CSVSerializer()).predict([ROW]),
        "stream": lambda: stream(ByteIterator),
        "stream of lines": lambda: stream(LineIterator),
    }
)
