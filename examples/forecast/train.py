"""Trains a model that says how many loaves each shop of a bakery sells on the next day."""

import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import sklearn
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingRegressor

HERE = Path(__file__).resolve().parent
# Bytecode is not written, so that the model folders hold nothing but models.
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[1] / "models"))
from training import run_onnx, save_onnx, write_json  # noqa: E402

SEED = 0
SHOPS = ["Harbour", "Market", "Station", "University", "West", "Airport"]
FIRST, DAYS, HELD_OUT = date(2024, 1, 1), 730, 60
# The longest window that a row needs; rows.mjs computes the same columns.
HISTORY = 28
FEATURES = [
    {"name": "weekday", "range": [0, 6]},
    {"name": "sold_1_day_ago", "range": [0, 100000]},
    {"name": "sold_7_days_ago", "range": [0, 100000]},
    {"name": "sold_14_days_ago", "range": [0, 100000]},
    {"name": "mean_of_7_days", "range": [0, 100000]},
    {"name": "mean_of_28_days", "range": [0, 100000]},
]

# A usual week, starting with Monday.
WEEK = {
    "Harbour": [0.8, 0.8, 0.9, 1.0, 1.2, 1.5, 1.3],
    "Market": [0.7, 0.9, 0.9, 1.0, 1.3, 1.7, 0.4],
    "Station": [1.2, 1.1, 1.1, 1.1, 1.3, 0.6, 0.5],
    "University": [1.2, 1.3, 1.3, 1.2, 0.9, 0.3, 0.2],
    "West": [0.9, 0.9, 0.9, 0.9, 1.0, 1.4, 1.0],
    "Airport": [1.0, 0.9, 0.9, 1.0, 1.2, 1.0, 1.2],
}


def draw_sales(random: np.random.Generator) -> np.ndarray:
    """Loaves sold, a row for each day and a column for each shop. In a real project this is a query."""
    days = np.arange(DAYS)
    columns = []
    for shop in SHOPS:
        level = random.uniform(80, 240) * (1 + random.uniform(-0.1, 0.3) * days / DAYS)
        season = 1 + 0.12 * np.sin(2 * np.pi * (days - random.integers(0, 60)) / 365)
        week = np.array([WEEK[shop][(FIRST + timedelta(int(day))).weekday()] for day in days])
        columns.append(random.poisson(level * season * week))
    return np.stack(columns, axis=1)


def make_row(sales: np.ndarray, day: int) -> list[float]:
    """The row of one shop for a day, from what is known on the evening before."""
    past = sales[:day]
    weekday = (FIRST + timedelta(day)).weekday()
    means = [round(float(past[-days:].mean()), 2) for days in (7, HISTORY)]
    return [weekday, *(int(past[-days]) for days in (1, 7, 14)), *means]


def main() -> None:
    sales = draw_sales(np.random.default_rng(SEED))

    def make_rows(days: range) -> tuple[np.ndarray, np.ndarray]:
        places = [(day, shop) for day in days for shop in range(len(SHOPS))]
        rows = [make_row(sales[:, shop], day) for day, shop in places]
        # Rounded before training, because the graph computes in float32.
        return np.array(rows, dtype=np.float32), np.array([sales[place] for place in places])

    rows, sold = make_rows(range(HISTORY, DAYS - HELD_OUT))
    unseen, truth = make_rows(range(DAYS - HELD_OUT, DAYS))
    model = GradientBoostingRegressor(n_estimators=100, max_depth=4, learning_rate=0.08, random_state=SEED)
    model.fit(rows, sold)
    error = float(np.abs(model.predict(unseen) - truth).mean())
    naive = float(np.abs(unseen[:, 2] - truth).mean())
    print(f"demand 1: off by {error:.1f} loaves, and by {naive:.1f} for the same day of last week")

    version = HERE / "models" / "demand" / "1"
    # Without a name skl2onnx invents a random one, and no two runs would write the same file.
    save_onnx(to_onnx(model, rows[:1], name="demand"), version / "model.onnx")
    write_json(
        version / "model.json",
        {
            "task": "tabular-regression",
            "description": "Gradient boosting that says how many loaves a shop sells on the next day.",
            "features": FEATURES,
            "metrics": {
                "mean_absolute_error": round(error, 2),
                "same_day_of_last_week": round(naive, 2),
                "held_out_rows": len(truth),
            },
        },
    )

    # The README forecasts the day after the last one.
    tonight = [make_row(sales[:, shop], DAYS) for shop in range(len(SHOPS))]
    forecasts = model.predict(np.array(tonight, dtype=np.float32))
    source = f"scikit-learn {sklearn.__version__} predict"
    cases = [
        {"request": {"features": row}, "expected": {"prediction": float(forecast)}}
        for row, forecast in zip(tonight, forecasts, strict=True)
    ]
    write_json(version / "reference.json", {"source": source, "cases": cases})
    (served,) = run_onnx(version / "model.onnx", np.array(tonight, dtype=np.float32))
    # A sum of 100 trees in float32.
    assert np.allclose(served[:, 0], forecasts, rtol=1e-5), np.abs(served[:, 0] - forecasts).max()

    lines = ["date,shop,sold"]
    for day in range(DAYS - 2 * HISTORY, DAYS):
        for shop, name in enumerate(SHOPS):
            lines.append(f"{FIRST + timedelta(day)},{name},{sales[day, shop]}")
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "sales.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
