"""Exports networks of Keras as networks.py does with others: TensorFlow and PyTorch need separate processes.

Usage: python keras_networks.py <folder>
"""

import json
import sys
from pathlib import Path

import keras
import pandas as pd
from ternion_export import export

FOLDER = Path(sys.argv[1])
LABELS = ["cheap", "dear", "odd"]
houses = pd.read_csv("examples/data/houses.csv")
rows = houses[["area", "rooms", "year"]].astype("float32")
sample, held = rows[:200], rows[200:220]
answers = json.loads((FOLDER / "answers.json").read_text())


def write(name, model, answer, **options):
    export(model, sample, FOLDER / "exports" / name, **options)
    request = {"instances": [{"features": [float(cell) for cell in row]} for row in held.to_numpy()]}
    answers.append({"name": name, "hasReferences": True, "request": request, **answer})


keras.utils.set_random_seed(0)
scale = keras.layers.Normalization()
scale.adapt(sample.to_numpy())
layers = [keras.layers.Input((3,)), scale, keras.layers.Dense(8, activation="relu")]
dense = keras.Sequential([*layers, keras.layers.Dense(3, activation="softmax")])
shares = dense.predict(held.to_numpy(), verbose=0)
answer = {
    "predictions": [LABELS[int(row.argmax())] for row in shares],
    "probabilities": [dict(zip(LABELS, map(float, row))) for row in shares],
}
write("keras", dense, answer, labels=LABELS)
number = keras.Sequential([*layers, keras.layers.Dense(1)])
write("keras-number", number, {"predictions": number.predict(held.to_numpy(), verbose=0)[:, 0].tolist()})

(FOLDER / "answers.json").write_text(json.dumps(answers))
