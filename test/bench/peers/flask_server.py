"""A scikit-learn forest in Flask, as tutorials write it: python flask_server.py <port> <file of the forest>"""

import sys

import joblib
from flask import Flask, jsonify, request

port, forest = int(sys.argv[1]), joblib.load(sys.argv[2])
app = Flask(__name__)


@app.post("/predict")
def predict():
    [probabilities] = forest.predict_proba([request.get_json()["features"]])
    return jsonify(class_id=int(probabilities.argmax()), probabilities=probabilities.tolist())


app.run(host="127.0.0.1", port=port)
