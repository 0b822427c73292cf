"""Exports networks to <folder>/exports/<name>, and writes what their frameworks answer to other rows.

Usage: python networks.py <folder>
"""

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path

import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from ternion_export import ExportError, export
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, pipeline

warnings.filterwarnings("ignore")
FOLDER = Path(sys.argv[1])
NUMBERS = ["area", "rooms", "year"]
LABELS = ["cheap", "dear", "odd"]
houses = pd.read_csv("examples/data/houses.csv")
rows = houses[NUMBERS].astype("float32")
sample, held = rows[:200], rows[200:220]
answers = []


def write(name, model, given, request, predictions, probabilities=None, **options):
    export(model, given, FOLDER / "exports" / name, **options)
    has_references = (FOLDER / "exports" / name / "reference.json").exists()
    answer = {"name": name, "hasReferences": has_references, "request": request, "predictions": predictions}
    answers.append(answer if probabilities is None else {**answer, "probabilities": probabilities})


def instances(frame):
    return {"instances": [{"features": [float(cell) for cell in row]} for row in frame.to_numpy()]}


def classes(name, model, shares, labels, **options):
    write(
        name,
        model,
        sample,
        instances(held),
        [labels[int(row.argmax())] for row in shares],
        [dict(zip(labels, map(float, row))) for row in shares],
        labels=labels,
        **options,
    )


# PyTorch
torch.manual_seed(0)
inputs = torch.tensor(held.to_numpy())
scaled = nn.BatchNorm1d(3)
network = nn.Sequential(scaled, nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
network(torch.tensor(sample.to_numpy()))
network.eval()
with torch.no_grad():
    logits = network(inputs)
    classes("torch", network, logits.softmax(-1).numpy(), LABELS)
    classes("torch-older-exporter", network, logits.softmax(-1).numpy(), LABELS, dynamo=False)
    shares = nn.Sequential(network, nn.Softmax(-1))
    classes("torch-softmax", shares, shares(inputs).numpy(), LABELS)
    single = nn.Sequential(network, nn.Linear(3, 1)).eval()
    dear = single(inputs).sigmoid().numpy()
    classes("torch-one-logit", single, np.concatenate([1 - dear, dear], axis=1), LABELS[:2])
    write("torch-number", single, sample, instances(held), single(inputs).numpy()[:, 0].tolist())
assert not network.training

# Clients send tensors to a network for images without its steps; its labels are kept.
seeing = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
printed = io.StringIO()
with contextlib.redirect_stderr(printed):
    export(seeing, torch.rand(4, 3, 16, 16), FOLDER / "exports" / "torch-images", labels=LABELS)
described = json.loads((FOLDER / "exports" / "torch-images" / "model.json").read_text())
assert described == {"task": "tensor", "labels": LABELS}, described
assert "if it classifies images, also pass preprocess=[...]" in printed.getvalue(), printed.getvalue()
for_tokens = nn.Linear(5, 3)  # labels for each of the tokens of a text
export(for_tokens, torch.rand(4, 7, 5), FOLDER / "exports" / "torch-tokens", labels=LABELS)
described = json.loads((FOLDER / "exports" / "torch-tokens" / "model.json").read_text())
assert described == {"task": "tensor", "labels": LABELS}, described
try:
    export(seeing, torch.rand(4, 3, 16, 16), FOLDER / "exports" / "refused", labels=LABELS[:2])
    raise AssertionError("not refused: too few labels")
except ExportError as error:
    assert str(error) == "There are 2 labels for the 3 outputs of the network.", error

# transformers
words = "[PAD] [UNK] [CLS] [SEP] [MASK] a good bad film play awful nice i liked it lot not".split()
(FOLDER / "vocab.txt").write_text("\n".join(words))
tokenizer = BertTokenizerFast(str(FOLDER / "vocab.txt"))
names = {0: "bad", 1: "good"}
shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
config = BertConfig(
    vocab_size=len(words), max_position_embeddings=64, id2label=names, label2id={"bad": 0, "good": 1}, **shape
)
bert = BertForSequenceClassification(config).eval()
texts = ["a good film", "i liked it a lot", "awful play", "unknown words"]
moods = pipeline("text-classification", model=bert, tokenizer=tokenizer, top_k=None)
found = [{each["label"]: each["score"] for each in scores} for scores in moods(texts)]
best = [max(scores, key=scores.get) for scores in found]
request = {"instances": [{"text": text} for text in texts]}
write("transformers", (bert, tokenizer), texts, request, best, found)
write("transformers-pipeline", moods, texts, request, best, found)

# MLflow
model = LogisticRegression(max_iter=5000).fit(rows, houses["level"])
shares = model.predict_proba(held)
source = str(FOLDER / "mlflow")
mlflow.sklearn.save_model(model, source)
expected = [dict(zip(model.classes_.tolist(), map(float, row))) for row in shares]
by_name = {"instances": [{"features": row} for row in json.loads(held.to_json(orient="records"))]}
write("mlflow-folder", source, sample, by_name, model.predict(held).tolist(), expected)
loaded = mlflow.pyfunc.load_model(source)
write("mlflow-pyfunc", loaded, sample, by_name, model.predict(held).tolist(), expected)

(FOLDER / "answers.json").write_text(json.dumps(answers))
