"""Trains the models of four teams: a table, a text, an image, and a graph that takes and gives tensors."""

import base64
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import onnxruntime
import sklearn
from onnx import TensorProto, compose, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
# Bytecode is not written, so that the model folders hold nothing but models.
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[1] / "models"))
from training import check_onnx, expected, run_onnx, save_onnx, write_json  # noqa: E402

SEED = 0
MODELS = HERE / "models"
SOURCE = f"scikit-learn {sklearn.__version__} predict_proba"


def write_model(version: str, config: dict, cases: list[dict], source: str = SOURCE) -> None:
    write_json(MODELS / version / "model.json", config)
    write_json(MODELS / version / "reference.json", {"source": source, "cases": cases})


def train_churn() -> None:
    """A table, in two versions: the one in use and the one that may replace it."""
    random = np.random.default_rng(SEED)
    names = ["months", "orders", "returns", "complaints", "days_since_order"]
    rows = np.column_stack(
        [random.integers(1, 60, 1200), random.poisson(9, 1200), random.poisson(1, 1200), random.poisson(0.5, 1200), random.integers(0, 200, 1200)]
    ).astype(np.float32)  # fmt: skip
    wish = 0.02 * (rows[:, 4] - 90) + 0.9 * rows[:, 3] + 0.4 * rows[:, 2] - 0.03 * rows[:, 0] - 0.4
    left = np.where(random.random(len(rows)) < 1 / (1 + np.exp(-wish)), "leaves", "stays")
    table = [",".join(names), *(",".join(f"{cell:g}" for cell in row) for row in rows[1000:1100])]
    (HERE / "customers.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    models = {
        "1": make_pipeline(StandardScaler(), LogisticRegression()),
        "2": RandomForestClassifier(n_estimators=20, max_depth=5, random_state=SEED),
    }
    for version, model in models.items():
        model.fit(rows[:1000], left[:1000])
        # Without a name skl2onnx invents a random one, and no two runs would write the same file.
        graph = to_onnx(model, rows[:1], name="churn", options={"zipmap": False})
        save_onnx(graph, MODELS / "churn" / version / "model.onnx")
        labels = model.classes_.tolist()
        cases = [
            {"request": {"features": row.tolist()}, "expected": expected(labels, each)}
            for row, each in zip(rows[1000:1010], model.predict_proba(rows[1000:1010]))
        ]
        config = {
            "task": "tabular-classification",
            "description": "Says whether a customer leaves within three months.",
            "labels": labels,
            "features": [{"name": name, "range": [0, 1000]} for name in names],
            "metrics": {"accuracy": round(float(model.score(rows[1000:], left[1000:])), 4), "held_out_rows": 200},
        }
        write_model(f"churn/{version}", config, cases)
        check_onnx(*run_onnx(MODELS / "churn" / version / "model.onnx", rows[1000:1010]), cases)


# What tickets are about, and how people write about it.
TICKETS = {
    "billing": ["invoice", "refund", "charged twice", "payment", "credit card", "price"],
    "delivery": ["parcel", "courier", "address", "late", "tracking number", "damaged box"],
    "account": ["password", "log in", "email address", "locked", "delete my account", "two step code"],
}
PHRASES = ["please help with the {}", "i have a question about my {}", "my {} is wrong", "the {} does not work", "where is my {}", "{} and {} again", "still waiting for an answer about the {}"]  # fmt: skip


def train_tickets() -> None:
    """Texts: the graph itself takes strings, so no tokenizer is needed beside it."""
    random = np.random.default_rng(SEED)
    texts, teams = [], []
    for number in range(600):
        team = list(TICKETS)[number % 3]
        words = random.choice(TICKETS[team], 2, replace=False)
        texts.append(random.choice(PHRASES).format(*words))
        teams.append(team)
    model = make_pipeline(TfidfVectorizer(token_pattern=r"[a-z]+"), LogisticRegression(C=10)).fit(texts, teams)
    graph = to_onnx(
        model,
        name="tickets",
        initial_types=[("text", StringTensorType([None, 1]))],
        options={LogisticRegression: {"zipmap": False}, TfidfVectorizer: {"tokenexp": "[a-z]+", "locale": "C"}},
    )
    save_onnx(graph, MODELS / "tickets" / "1" / "model.onnx")
    asked = [
        "I was charged twice for one order, please send the refund",
        "The courier left the parcel at the wrong address",
        "My password does not work and I am locked out",
        "Where is the invoice?",
    ]
    labels = model.classes_.tolist()
    probabilities = model.predict_proba(asked)
    cases = [
        {"request": {"text": text}, "expected": expected(labels, each)}
        for text, each in zip(asked, probabilities, strict=True)
    ]
    config = {
        "task": "text-classification",
        "description": "Says which team a support ticket is for.",
        "labels": labels,
    }
    write_model("tickets/1", config, cases)
    check_onnx(*run_onnx(MODELS / "tickets" / "1" / "model.onnx", np.array(asked)[:, None]), cases)


def as_png(pixels: np.ndarray) -> bytes:
    """Encodes grey values as a PNG, without an image library."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def train_scans() -> None:
    """Images: a Reshape in front of a model for flat rows lets it take pixels."""
    scans, digits = load_digits(return_X_y=True)
    pixels = np.round(scans.reshape(-1, 8, 8) / 16 * 255).astype(np.uint8)
    rows = (pixels.reshape(-1, 64) / np.float32(255)).astype(np.float32)
    model = LogisticRegression(C=0.5, max_iter=1000).fit(rows[:1500], digits[:1500].astype(str))
    graph = to_onnx(model, name="scans", initial_types=[("row", FloatTensorType([None, 64]))], options={"zipmap": False})
    reshape = helper.make_graph(
        [helper.make_node("Reshape", ["pixels", "shape"], ["flat"])],
        "flatten",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [None, 1, 8, 8])],
        [helper.make_tensor_value_info("flat", TensorProto.FLOAT, [None, 64])],
        [helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 64])],
    )
    front = helper.make_model(reshape, opset_imports=graph.opset_import, ir_version=graph.ir_version)
    whole = compose.merge_models(front, graph, io_map=[("flat", "row")], name="scans", producer_name="skl2onnx")
    save_onnx(whole, MODELS / "scans" / "1" / "model.onnx")
    labels = model.classes_.tolist()
    shown = pixels[1500:1510]
    cases = [
        {"request": {"image": base64.b64encode(as_png(scan)).decode()}, "expected": expected(labels, each)}
        for scan, each in zip(shown, model.predict_proba(rows[1500:1510]), strict=True)
    ]
    config = {
        "task": "image-classification",
        "description": "Reads one handwritten digit.",
        "labels": labels,
        "preprocess": [
            {"step": "convert", "mode": "grey"},
            {"step": "resize", "width": 8, "height": 8, "filter": "bilinear"},
            {"step": "rescale", "scale": 1 / 255},
            {"step": "layout", "layout": "NCHW"},
        ],
        "metrics": {"accuracy": round(float(model.score(rows[1500:], digits[1500:].astype(str))), 4), "held_out_images": 297},
    }  # fmt: skip
    write_model("scans/1", config, cases)
    check_onnx(*run_onnx(MODELS / "scans" / "1" / "model.onnx", rows[1500:1510].reshape(-1, 1, 8, 8)), cases)
    (HERE / "scan.png").write_bytes(as_png(shown[model.predict_proba(rows[1500:1510]).max(axis=1).argmax()]))


def build_similarity() -> None:
    """Tensors: a graph without training that compares vectors, as a search needs."""
    nodes = [
        *(helper.make_node("LpNormalization", [name], [f"{name}_unit"], axis=1, p=2) for name in ["queries", "documents"]),
        helper.make_node("Transpose", ["documents_unit"], ["documents_turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["queries_unit", "documents_turned"], ["similarity"]),
    ]
    graph = helper.make_graph(
        nodes,
        "similarity",
        [
            helper.make_tensor_value_info("queries", TensorProto.FLOAT, ["query", "size"]),
            helper.make_tensor_value_info("documents", TensorProto.FLOAT, ["document", "size"]),
        ],
        [helper.make_tensor_value_info("similarity", TensorProto.FLOAT, ["query", "document"])],
    )
    path = MODELS / "similarity" / "1" / "model.onnx"
    save_onnx(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    inputs = {"queries": [[1, 0, 2], [0, 3, 1]], "documents": [[2, 0, 4], [1, 1, 1], [-1, 0, 0]]}
    similarity = cosine_similarity(inputs["queries"], inputs["documents"])
    cases = [{"request": {"inputs": inputs}, "expected": {"outputs": {"similarity": similarity.tolist()}}}]
    config = {"task": "tensor", "description": "Cosine of the angle between each query and each document."}
    write_model("similarity/1", config, cases, f"scikit-learn {sklearn.__version__} cosine_similarity")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (served,) = session.run(None, {name: np.array(rows, dtype=np.float32) for name, rows in inputs.items()})
    assert np.abs(served - similarity).max() < 1e-5


def main() -> None:
    train_churn()
    train_tickets()
    train_scans()
    build_similarity()
    write_json(MODELS / "churn" / "deployment.json", {"aliases": {"champion": "1", "challenger": "2"}})


if __name__ == "__main__":
    main()
