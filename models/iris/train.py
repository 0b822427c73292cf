"""Trains both versions of the iris example: 1 is a scikit-learn forest, 2 a PyTorch network."""

import sys
from pathlib import Path

import numpy as np
import sklearn
import torch
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent
# Bytecode is not written, so that the model folders hold nothing but models.
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))
from training import (  # noqa: E402
    check_onnx,
    expected,
    export_torch,
    make_repeatable,
    run_onnx,
    save_onnx,
    softmax,
    write_json,
)

SEED = 0
LABELS = ["setosa", "versicolor", "virginica"]
FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


class Network(nn.Module):
    def __init__(self, mean: torch.Tensor, deviation: torch.Tensor):
        super().__init__()
        # Part of the module, so that callers send plain centimetres.
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.layers((features - self.mean) / self.deviation)


def train_network(rows: torch.Tensor, classes: torch.Tensor) -> Network:
    network = Network(rows.mean(dim=0), rows.std(dim=0))
    # Weight decay keeps the scores from growing without limit on such a small data set.
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.01)
    for _ in range(300):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(rows), classes).backward()
        optimiser.step()
    return network.eval()


def describe(version: str, description: str, correct: np.ndarray, members: dict) -> None:
    write_json(
        HERE / version / "model.json",
        {
            "task": "tabular-classification",
            "description": description,
            "labels": LABELS,
            "features": [{"name": name, "unit": "cm", "range": [0, 20]} for name in FEATURES],
            **members,
            "metrics": {"accuracy": round(float(correct.mean()), 4), "held_out_rows": len(correct)},
        },
    )
    print(f"iris {version}: {correct.sum()} of {len(correct)} held-out rows correct")


def write_reference(version: str, source: str, rows: np.ndarray, probabilities: np.ndarray) -> list[dict]:
    cases = [
        {"request": {"features": row.tolist()}, "expected": expected(LABELS, row_probabilities)}
        for row, row_probabilities in zip(rows, probabilities, strict=True)
    ]
    write_json(HERE / version / "reference.json", {"source": source, "cases": cases})
    return cases


def main() -> None:
    make_repeatable(SEED)
    rows, classes = load_iris(return_X_y=True)
    names = np.array(LABELS)[classes]
    inputs = rows.astype(np.float32)
    train, held_out = train_test_split(np.arange(len(rows)), test_size=30, stratify=classes, random_state=SEED)

    forest = RandomForestClassifier(n_estimators=100, random_state=SEED).fit(rows[train], names[train])
    # Without a name skl2onnx invents a random one, and no two runs would write the same file.
    model = convert_sklearn(forest, name="iris", initial_types=[("features", FloatTensorType([None, 4]))])
    save_onnx(model, HERE / "1" / "model.onnx")
    description = "Random forest of 100 trees that recognises three iris species by four measurements."
    # Probabilities in every protocol, like the scores of version 2.
    answers = {"answers": "objects"}
    describe("1", description, forest.predict(rows[held_out]) == names[held_out], answers)
    cases = write_reference(
        "1", f"scikit-learn {sklearn.__version__} predict_proba", rows, forest.predict_proba(rows)
    )
    assert [case["expected"]["prediction"] for case in cases] == forest.predict(rows).tolist()
    predictions, maps = run_onnx(HERE / "1" / "model.onnx", inputs)
    check_onnx(predictions, np.array([[row[label] for label in LABELS] for row in maps]), cases)

    tensor = torch.from_numpy(inputs)
    network = train_network(tensor[train], torch.from_numpy(classes[train]))
    export_torch(network, tensor[:2], "features", HERE / "2" / "model.onnx")
    with torch.no_grad():
        probabilities = softmax(network(tensor))
    description = "Small neural network that recognises three iris species by four measurements."
    objective = {"availability": 0.999, "latency": {"ms": 100, "percentile": 99}}
    members = {"output": "logits", "postprocess": [{"step": "softmax"}], "objective": objective}
    describe("2", description, probabilities[held_out].argmax(axis=1) == classes[held_out], members)
    cases = write_reference("2", f"PyTorch {torch.__version__.split('+')[0]} softmax", rows, probabilities)
    (logits,) = run_onnx(HERE / "2" / "model.onnx", inputs)
    check_onnx(np.array(LABELS)[logits.argmax(axis=1)], softmax(torch.from_numpy(logits)), cases)


if __name__ == "__main__":
    main()
