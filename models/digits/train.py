"""Trains the digits example and writes the held-out scans that its reference and the tests use."""

import base64
import math
import sys
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from sklearn.datasets import load_digits
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
    softmax,
    write_json,
)

SEED = 0
EPOCHS = 200
LABELS = [str(digit) for digit in range(10)]
VERSION = HERE / "1"
FIXTURES = HERE.parents[1] / "test" / "fixtures" / "digits"


def build_network() -> nn.Sequential:
    def convolution(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *convolution(1, 24),
        *convolution(24, 32),
        nn.MaxPool2d(2),
        *convolution(32, 64),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64 * 4 * 4, 10),
    )


def uniform(count: int, low: float, high: float) -> torch.Tensor:
    return torch.empty(count).uniform_(low, high)


def augment(images: torch.Tensor) -> torch.Tensor:
    """Varies the scans in the ways a canvas drawing or a photographed sheet differs from them."""
    count = len(images)
    # The scans fill their frame and drawings seldom do, so digits shrink more than they grow.
    angle, size = uniform(count, -0.26, 0.26), uniform(count, 0.55, 1.1)
    width, height = size * uniform(count, 0.85, 1.15), size
    # One pixel is a quarter in affine_grid's coordinates, which run from -1 to 1 over 8 pixels.
    across, down = uniform(count, -0.25, 0.25), uniform(count, -0.25, 0.25)
    matrix = torch.stack(
        [
            torch.stack([angle.cos() / width, angle.sin() / width, across], dim=1),
            torch.stack([-angle.sin() / height, angle.cos() / height, down], dim=1),
        ],
        dim=1,
    )
    grid = nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    images = nn.functional.grid_sample(images, grid, align_corners=False)

    def each(low: float, high: float) -> torch.Tensor:
        return uniform(count, low, high).view(-1, 1, 1, 1)

    blurred = nn.functional.avg_pool2d(images, 3, stride=1, padding=1)
    images = images.lerp(blurred, each(0, 0.5))
    # Paper and ink are never fully white or black.
    contrast = each(0.45, 1.3)
    images = (images * contrast + each(0, 0.2) + torch.randn_like(images) * 0.02).clamp(0, 1)
    # Dark ink on light paper must work as well as the light digits on dark of the scans.
    return torch.where(each(0, 1) < 0.5, 1 - images, images)


def train_network(images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    network = build_network()
    batch_size = 64
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=0.005, epochs=EPOCHS, steps_per_epoch=math.ceil(len(images) / batch_size)
    )
    # Smoothing keeps answers below certainty. If all scores were 0 or 1, callers would not see doubt, and the reference
    # cases would not show mistakes in the preprocessing.
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(batch_size):
            optimiser.zero_grad()
            loss(network(augment(images[batch])), labels[batch]).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """Turns grey values from 0 to 255, with one image per row, into inputs of the network."""
    return torch.from_numpy(pixels).float().div(255).unsqueeze(1)


def probabilities_of(network: nn.Module, images: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return softmax(network(images))


def padded(scan: Image.Image) -> Image.Image:
    frame = Image.new("L", (40, 48))
    frame.paste(scan.resize((40, 40), Image.BICUBIC), (0, 4))
    return frame


# Kinds of files that callers may send. Scans 14 and later are stored like this, the others unchanged.
RENDERINGS = {
    14: lambda scan: scan.resize((64, 64), Image.NEAREST),
    15: lambda scan: scan.resize((100, 100), Image.BICUBIC).convert("RGB"),
    16: padded,
    17: lambda scan: scan.resize((80, 80), Image.LANCZOS).convert("RGBA"),
    18: lambda scan: scan.resize((56, 56), Image.NEAREST).convert("P"),
    19: lambda scan: scan.resize((90, 70), Image.BILINEAR),
}


def read_pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("L").resize((8, 8), Image.BILINEAR))


def write_fixtures(network: nn.Module, pixels: np.ndarray, labels: np.ndarray) -> list[Path]:
    """Stores two scans of each digit, skipping those the network gets wrong."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for old in FIXTURES.glob("*.png"):
        old.unlink()
    left = {digit: iter(np.flatnonzero(labels == digit)) for digit in range(10)}
    paths = []
    for number in range(20):
        digit = number % 10
        path = FIXTURES / f"{number:02}-label-{digit}.png"
        for index in left[digit]:
            scan = Image.fromarray(pixels[index])
            RENDERINGS.get(number, lambda plain: plain)(scan).save(path)
            if probabilities_of(network, as_tensor(read_pixels(path)[None])).argmax() == digit:
                break
        else:
            raise RuntimeError(f"no held-out scan of a {digit} is left")
        paths.append(path)
    return paths


def main() -> None:
    make_repeatable(SEED)
    scans, labels = load_digits(return_X_y=True)
    # Rounded to bytes before training, because a PNG holds bytes, and the network should see what callers send.
    pixels = np.round(scans.reshape(-1, 8, 8) / 16 * 255).astype(np.uint8)
    train, held_out = train_test_split(
        np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=SEED
    )

    images = as_tensor(pixels)
    network = train_network(images[train], torch.from_numpy(labels[train]))
    export_torch(network, images[:2], "image", VERSION / "model.onnx")

    def accuracy(tested: torch.Tensor) -> float:
        correct = probabilities_of(network, tested).argmax(axis=1) == labels[held_out]
        return round(float(correct.mean()), 4)

    metrics = {
        "accuracy": accuracy(images[held_out]),
        "accuracy_inverted": accuracy(1 - images[held_out]),
        "held_out_images": len(held_out),
    }
    print(f"digits 1: {metrics}")
    write_json(
        VERSION / "model.json",
        {
            "task": "image-classification",
            "description": "Small convolutional network that reads one handwritten digit, light on dark or dark on light.",
            "labels": LABELS,
            "preprocess": [
                {"step": "convert", "mode": "grey"},
                {"step": "resize", "width": 8, "height": 8, "filter": "bilinear"},
                {"step": "rescale", "scale": 1 / 255},
                {"step": "layout", "layout": "NCHW"},
            ],
            "output": "logits",
            "postprocess": [{"step": "softmax"}],
            "objective": {"availability": 0.999, "latency": {"ms": 100, "percentile": 99}},
            "metrics": metrics,
        },
    )

    paths = write_fixtures(network, pixels[held_out], labels[held_out])
    stored = as_tensor(np.stack([read_pixels(path) for path in paths]))
    cases = [
        {
            "request": {"image": base64.b64encode(path.read_bytes()).decode()},
            "expected": expected(LABELS, probabilities),
        }
        for path, probabilities in zip(paths, probabilities_of(network, stored), strict=True)
    ]
    source = f"PyTorch {torch.__version__.split('+')[0]} softmax, Pillow {PIL.__version__}"
    write_json(VERSION / "reference.json", {"source": source, "cases": cases})
    (logits,) = run_onnx(VERSION / "model.onnx", stored.numpy())
    check_onnx(np.array(LABELS)[logits.argmax(axis=1)], softmax(torch.from_numpy(logits)), cases)


if __name__ == "__main__":
    main()
