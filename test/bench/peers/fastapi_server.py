"""The network of models/iris/2 in FastAPI with ONNX Runtime: uvicorn fastapi_server:app, with its path in MODEL"""

import os

import numpy
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


class Flower(BaseModel):
    features: list[float]


@app.post("/predict")
async def predict(flower: Flower):
    rows = numpy.array([flower.features], dtype=numpy.float32)
    [[logits]] = session.run(None, {"features": rows})
    powers = numpy.exp(logits - logits.max())
    return {"class_id": int(logits.argmax()), "probabilities": (powers / powers.sum()).tolist()}
