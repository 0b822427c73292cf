"""Draws pictures of road signs and trains a small convolutional network that recognises them."""

import base64
import io
import math
import sys
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image, ImageDraw
from torch import nn

HERE = Path(__file__).resolve().parent
# Bytecode is not written, so that the model folders hold nothing but models.
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[1] / "models"))
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
EPOCHS = 25
VERSION = HERE / "models" / "signs" / "1"
PICTURES = HERE / "pictures"

# As networks that were trained on ImageNet prepare their pictures, except for the size.
RESIZE, CROP = 36, 32
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

RED, BLUE, YELLOW, WHITE = (190, 25, 40), (25, 80, 170), (250, 200, 30), (240, 240, 235)


def regular(corners: int, radius: float, turn: float = 0) -> list[tuple[float, float]]:
    """The corners of a regular polygon around (0, 0), with one corner at the top if it is not turned."""
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners)]
    return [(radius * math.sin(angle), -radius * math.cos(angle)) for angle in angles]


def box(width: float, height: float) -> list[tuple[float, float]]:
    return [(-width, -height), (width, -height), (width, height), (-width, height)]


def disc(radius: float) -> list[tuple[float, float]]:
    return regular(40, radius)


# Each sign is a list of polygons with their colours, in a square from -1 to 1.
ARROW = [(-0.7, -0.15), (0.1, -0.15), (0.1, -0.5), (0.7, 0), (0.1, 0.5), (0.1, 0.15), (-0.7, 0.15)]
SIGNS = {
    "give way": [(regular(3, 1, math.pi), RED), (regular(3, 0.62, math.pi), WHITE)],
    "no entry": [(disc(0.95), RED), (box(0.65, 0.16), WHITE)],
    "parking": [(box(0.85, 0.85), BLUE), (box(0.12, 0.6), WHITE), ([(0, -0.6), (0.55, -0.25), (0, 0.1)], WHITE)],
    "priority road": [(regular(4, 1), WHITE), (regular(4, 0.72), YELLOW)],
    "stop": [(regular(8, 1, math.pi / 8), RED), (box(0.72, 0.04), WHITE), (box(0.04, 0.4), WHITE)],
    "turn right": [(disc(0.95), BLUE), (ARROW, WHITE)],
}
LABELS = list(SIGNS)


def draw(sign: str, random: np.random.Generator) -> Image.Image:
    """A picture of a sign on its pole, in some light, with noise."""
    width, height = (int(side) for side in random.integers(64, 112, 2))
    # Drawn four times as large and then scaled down, which gives soft edges.
    sky, ground = (random.integers(60, 220, 3) for _ in range(2))
    scene = Image.new("RGB", (width * 4, height * 4), tuple(sky.tolist()))
    canvas = ImageDraw.Draw(scene)
    horizon = random.uniform(0.3, 0.9) * height * 4
    canvas.rectangle((0, horizon, width * 4, height * 4), fill=tuple(ground.tolist()))
    radius = random.uniform(0.32, 0.46) * min(width, height) * 4
    across = width * 2 + random.uniform(-0.05, 0.05) * width * 4
    down = height * 2 + random.uniform(-0.05, 0.05) * height * 4
    angle, narrow = random.uniform(-0.2, 0.2), random.uniform(0.8, 1)
    canvas.line((across, down, across, height * 4), fill=(110, 110, 110), width=int(radius / 5))
    for corners, colour in SIGNS[sign]:
        turned = [
            (
                across + radius * narrow * (x * math.cos(angle) - y * math.sin(angle)),
                down + radius * (x * math.sin(angle) + y * math.cos(angle)),
            )
            for x, y in corners
        ]
        canvas.polygon(turned, fill=colour)
    pixels = np.asarray(scene.resize((width, height), Image.Resampling.BOX), dtype=np.float64)
    light = random.uniform(0.5, 1.15)
    noise = random.normal(0, 6, pixels.shape)
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))


def prepare(image: Image.Image) -> np.ndarray:
    """The steps of model.json with Pillow: the normalised pixels of the middle, in planes."""
    width, height = image.size
    short = min(width, height)
    size = (int(RESIZE * width / short), int(RESIZE * height / short))
    image = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - CROP) / 2), round((size[1] - CROP) / 2)
    pixels = np.asarray(image.crop((left, top, left + CROP, top + CROP)), dtype=np.float32)
    return ((pixels / 255 - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1)


def build_network() -> nn.Sequential:
    def convolution(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *convolution(3, 12),
        nn.MaxPool2d(2),
        *convolution(12, 24),
        nn.MaxPool2d(2),
        *convolution(24, 32),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, len(LABELS)),
    )


def train_network(images: torch.Tensor, classes: torch.Tensor) -> nn.Module:
    network = build_network()
    batch_size = 48
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=0.005, epochs=EPOCHS, steps_per_epoch=math.ceil(len(images) / batch_size)
    )
    # Smoothing keeps answers below certainty, so that callers see doubt.
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(batch_size):
            optimiser.zero_grad()
            loss(network(images[batch]), classes[batch]).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def as_jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def draw_set(count: int, seed: int) -> tuple[list[bytes], torch.Tensor, torch.Tensor]:
    """JPEG files, the inputs of the network for them, and their classes."""
    random = np.random.default_rng(seed)
    classes = [number % len(LABELS) for number in range(count)]
    files = [as_jpeg(draw(LABELS[each], random)) for each in classes]
    inputs = np.stack([prepare(Image.open(io.BytesIO(file))) for file in files])
    return files, torch.from_numpy(inputs), torch.tensor(classes)


def main() -> None:
    make_repeatable(SEED)
    _, images, classes = draw_set(900, SEED)
    network = train_network(images, classes)
    export_torch(network, images[:2], "pixels", VERSION / "model.onnx")

    files, unseen, truth = draw_set(300, SEED + 1)
    with torch.no_grad():
        probabilities = softmax(network(unseen))
    accuracy = float((probabilities.argmax(axis=1) == truth.numpy()).mean())
    print(f"signs 1: {accuracy:.4f} of 300 unseen pictures correct")
    write_json(
        VERSION / "model.json",
        {
            "task": "image-classification",
            "description": "Small convolutional network that recognises six road signs.",
            "labels": LABELS,
            "preprocess": [
                {"step": "convert", "mode": "RGB"},
                {"step": "resize", "shortestEdge": RESIZE, "filter": "bilinear"},
                {"step": "centerCrop", "width": CROP, "height": CROP},
                {"step": "rescale", "scale": 1 / 255},
                {"step": "normalize", "mean": MEAN, "std": STD},
                {"step": "layout", "layout": "NCHW"},
            ],
            "output": "logits",
            "postprocess": [{"step": "softmax"}],
            "metrics": {"accuracy": round(accuracy, 4), "held_out_images": len(files)},
        },
    )

    # The first two pictures of each sign are the reference; the README sends the first ones.
    count = 2 * len(LABELS)
    PICTURES.mkdir(exist_ok=True)
    for label, file in zip(LABELS, files):
        (PICTURES / f"{label.replace(' ', '-')}.jpg").write_bytes(file)
    cases = [
        {"request": {"image": base64.b64encode(file).decode()}, "expected": expected(LABELS, each)}
        for file, each in zip(files[:count], probabilities)
    ]
    source = f"PyTorch {torch.__version__.split('+')[0]} softmax, Pillow {PIL.__version__}"
    write_json(VERSION / "reference.json", {"source": source, "cases": cases})
    (logits,) = run_onnx(VERSION / "model.onnx", unseen[:count].numpy())
    check_onnx(np.array(LABELS)[logits.argmax(axis=1)], softmax(torch.from_numpy(logits)), cases)


if __name__ == "__main__":
    main()
