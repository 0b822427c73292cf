"""Code that the training scripts share: repeatable runs, the ONNX export and the files of a version."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime

# Imported where it is used, because the scripts for scikit-learn run without it.
if TYPE_CHECKING:
    import torch


def make_repeatable(seed: int) -> None:
    """For scripts that use PyTorch."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    # Sums that are split over threads are rounded differently on machines with another number of cores.
    torch.set_num_threads(1)


def softmax(logits: torch.Tensor) -> np.ndarray:
    """Probabilities in float64, so that the reference adds no rounding."""
    import torch

    return torch.softmax(logits.double(), dim=1).numpy()


def expected(labels: list[str], probabilities: np.ndarray) -> dict:
    """The answer a reference case expects for one row of probabilities."""
    return {
        "prediction": labels[int(probabilities.argmax())],
        "probabilities": dict(zip(labels, probabilities.tolist(), strict=True)),
    }


def export_torch(module: torch.nn.Module, example: torch.Tensor, input_name: str, path: Path) -> None:
    """Writes a module as one self-contained ONNX file: any batch size in, "logits" out."""
    import torch

    program = torch.onnx.export(
        module.eval(),
        (example,),
        input_names=[input_name],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    # "2.9.1+cu128" names the installed build, not the release.
    model.producer_version = model.producer_version.split("+")[0]
    save_onnx(model, path)


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Saves without the exporters' notes: PyTorch records source paths and stack traces in them."""
    graph = model.graph
    for item in [model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info]:
        item.ClearField("doc_string")
        item.ClearField("metadata_props")
    # skl2onnx takes them from a set, whose order differs in each process.
    imports = sorted(model.opset_import, key=lambda each: each.domain, reverse=True)
    del model.opset_import[:]
    model.opset_import.extend(imports)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Protobuf does not guarantee an order of bytes by default; a fixed order keeps repeated runs identical.
    path.write_bytes(model.SerializeToString(deterministic=True))


def run_onnx(path: Path, inputs: np.ndarray) -> list:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: inputs})


def write_json(path: Path, content: dict) -> None:
    """One line for each key, and for each object in a list, so that diffs stay readable."""

    def text(value) -> str:
        if isinstance(value, list) and isinstance(value[0], dict):
            return "[\n" + ",\n".join(f"    {json.dumps(item)}" for item in value) + "\n  ]"
        return json.dumps(value)

    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(f"  {json.dumps(key)}: {text(value)}" for key, value in content.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def check_onnx(predictions: list[str], probabilities: np.ndarray, cases: list[dict]) -> None:
    """Stops the run unless onnxruntime gives the reference answers, to 1e-5."""
    assert list(predictions) == [case["expected"]["prediction"] for case in cases]
    reference = [list(case["expected"]["probabilities"].values()) for case in cases]
    difference = np.abs(probabilities - np.array(reference)).max()
    assert difference < 1e-5, difference
    print(f"onnxruntime agrees on {len(cases)} cases, largest difference {difference:.1e}")
