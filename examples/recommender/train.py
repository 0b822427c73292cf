"""Trains two models that guess whether a person watches a film to its end: the one in use and one that may replace it."""

import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
# Bytecode is not written, so that the model folders hold nothing but models.
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[1] / "models"))
from training import check_onnx, expected, run_onnx, save_onnx, write_json  # noqa: E402

SEED = 0
GENRES = ["drama", "comedy", "action", "documentary"]
LABELS = ["left", "watched"]

# First the facts about the person, then those about the film.
FEATURES = [
    {"name": "age", "unit": "years", "range": [0, 120]},
    *({"name": f"likes_{genre}", "range": [0, 1]} for genre in GENRES),
    {"name": "free_minutes", "unit": "min", "range": [0, 600]},
    *({"name": f"is_{genre}", "range": [0, 1]} for genre in GENRES),
    {"name": "length", "unit": "min", "range": [0, 600]},
    {"name": "rating", "range": [0, 10]},
    {"name": "film_age", "unit": "years", "range": [0, 150]},
]
NAMES = [feature["name"] for feature in FEATURES]

TITLES = [
    "The Long Harbour", "Two Left Shoes", "Night Freight", "Ice Maps", "Orchard Street", "The Quiet Alarm",
    "Second Helping", "Faultline", "A Year of Bees", "Paper Lanterns", "Overtime", "Red Signal", "Deep Water Birds",
    "The Understudy", "Lost Luggage", "Breakwater", "The Tin Orchestra", "Downhill", "The Salt Road", "Best Man Twice",
]  # fmt: skip


def draw_people(count: int, random: np.random.Generator) -> np.ndarray:
    likes = random.dirichlet(np.full(len(GENRES), 0.6), count)
    return np.column_stack([random.integers(16, 80, count), likes.round(2), random.integers(30, 200, count)])


def draw_films(count: int, random: np.random.Generator) -> np.ndarray:
    shares = random.dirichlet(np.full(len(GENRES), 0.3), count)
    length = random.integers(60, 180, count)
    return np.column_stack([shares.round(2), length, random.normal(6.5, 1.2, count).clip(1, 10).round(1), random.integers(0, 60, count)])


def watch(people: np.ndarray, films: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What people watched. In a real project this is the log of what they were shown."""
    taste = (people[:, 1:5] * films[:, :4]).sum(axis=1)
    too_long = films[:, 4] > people[:, 5]
    too_old = films[:, 6] > people[:, 0]
    wish = 5 * taste + 0.5 * (films[:, 5] - 6.5) - 2 * too_long - too_old - 1
    return np.array(LABELS)[(random.random(len(wish)) < 1 / (1 + np.exp(-wish))).astype(int)]


def main() -> None:
    random = np.random.default_rng(SEED)

    def draw_views(count: int) -> tuple[np.ndarray, np.ndarray]:
        people, films = draw_people(count, random), draw_films(count, random)
        # Rounded before training, because the graph computes in float32.
        return np.hstack([people, films]).astype(np.float32), watch(people, films, random)

    rows, watched = draw_views(6000)
    unseen, truth = draw_views(2000)
    models = {
        "1": ("Logistic regression", make_pipeline(StandardScaler(), LogisticRegression())),
        "2": (
            "Gradient boosting",
            GradientBoostingClassifier(n_estimators=80, max_depth=3, random_state=SEED),
        ),
    }
    shown = 20
    for version, (kind, model) in models.items():
        model.fit(rows, watched)
        folder = HERE / "models" / "films" / version
        # Without a name skl2onnx invents a random one, and no two runs would write the same file.
        graph = to_onnx(model, rows[:1], name="films", options={"zipmap": False})
        save_onnx(graph, folder / "model.onnx")
        probabilities = model.predict_proba(unseen)
        auc = round(float(roc_auc_score(truth == "watched", probabilities[:, 1])), 4)
        print(f"films {version}: area under the curve {auc}")
        write_json(
            folder / "model.json",
            {
                "task": "tabular-classification",
                "description": f"{kind} that guesses whether a person watches a film to its end.",
                "labels": LABELS,
                "features": FEATURES,
                "metrics": {"area_under_curve": auc, "held_out_rows": len(unseen)},
            },
        )
        cases = [
            {"request": {"features": [float(str(cell)) for cell in row]}, "expected": expected(LABELS, each)}
            for row, each in zip(unseen[:shown], probabilities)
        ]
        source = f"scikit-learn {sklearn.__version__} predict_proba"
        write_json(folder / "reference.json", {"source": source, "cases": cases})
        check_onnx(*run_onnx(folder / "model.onnx", unseen[:shown]), cases)

    # Clients ask for an alias, because the highest version is not in use yet.
    write_json(HERE / "models" / "films" / "deployment.json", {"aliases": {"champion": "1", "challenger": "2"}})

    films = draw_films(len(TITLES), random)
    data = HERE / "data"
    data.mkdir(exist_ok=True)
    lines = [
        json.dumps({"title": title, **dict(zip(NAMES[6:], film.tolist(), strict=True))})
        for title, film in zip(TITLES, films, strict=True)
    ]
    (data / "films.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = [",".join(NAMES), *(",".join(str(cell) for cell in row) for row in unseen[:200])]
    (data / "views.csv").write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
