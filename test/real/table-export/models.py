"""Exports tabular models to <folder>/exports/<name>, and writes what their libraries answer to other rows.

Usage: python models.py <folder>
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from ternion_export import ExportError, export

warnings.filterwarnings("ignore")
FOLDER = Path(sys.argv[1])
NUMBERS = ["area", "rooms", "year"]
houses = pd.read_csv("examples/data/houses.csv").astype({"area": "float32"})
train, held = houses[:200], houses[200:230]
answers = []


def write(name, model, sample, rows, requests, expected, **options):
    export(model, sample, FOLDER / "exports" / name, **options)
    has_references = (FOLDER / "exports" / name / "reference.json").exists()
    request = {"instances": [{"features": row} for row in requests]}
    answers.append({"name": name, "hasReferences": has_references, "request": request, **expected})


def rows_of(frame):
    return json.loads(frame.to_json(orient="records", double_precision=15))


def classifier(name, model, columns, target, labels=None, trained=None):
    """`trained` turns a data frame into the rows that the model takes."""
    trained = trained or (lambda frame: frame)
    model.fit(trained(train[columns]), target)
    rows = trained(held[columns])
    shares = np.asarray(model.predict_proba(rows), dtype=float)
    names = labels or [str(each) for each in model.classes_]
    predicted = [labels[int(each)] if labels else each for each in np.asarray(model.predict(rows)).reshape(-1).tolist()]
    expected = {
        "predictions": predicted,
        "probabilities": [dict(zip(names, row.tolist())) for row in shares],
    }
    sample = trained(train[columns])
    requests = rows_of(held[columns]) if hasattr(sample, "columns") else np.asarray(rows, dtype=float).tolist()
    write(name, model, sample, rows, requests, expected, **({"labels": labels} if labels else {}))


def regressor(name, model, columns, target):
    model.fit(train[columns], target)
    expected = {"predictions": np.asarray(model.predict(held[columns]), dtype=float).tolist()}
    write(name, model, train[columns], held[columns], rows_of(held[columns]), expected)


def by_columns():
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city", "garden"]), (StandardScaler(), ["area", "rooms"])
    )


level, price = train["level"], train["price"]
number = (level == "dear").astype(int)
MIXED = ["city", "area", "rooms", "garden"]
TWO = ["cheap", "dear"]

classifier("forest", RandomForestClassifier(10, random_state=0), NUMBERS, level)
classifier("forest-of-numbers", RandomForestClassifier(10, random_state=0), NUMBERS, number, TWO)
classifier("array", LogisticRegression(max_iter=2000), NUMBERS, level, trained=lambda frame: frame.to_numpy("float32"))
classifier("scaled", make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)), NUMBERS, level)
classifier("columns", make_pipeline(by_columns(), LogisticRegression()), MIXED, level)
classifier("columns-xgboost", make_pipeline(by_columns(), xgboost.XGBClassifier(n_estimators=5)), MIXED, number, TWO)
classifier("columns-lightgbm", make_pipeline(by_columns(), lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)), MIXED, level)
classifier("search", GridSearchCV(LogisticRegression(max_iter=2000), {"C": [1, 2]}), NUMBERS, level)
regressor("columns-xgboost-regressor", make_pipeline(by_columns(), xgboost.XGBRegressor(n_estimators=5)), MIXED, price)
regressor("boosted", GradientBoostingRegressor(n_estimators=10, random_state=0), NUMBERS, price)
regressor("several", MultiOutputRegressor(Ridge()), NUMBERS, train[["price", "area"]])


def rows(name, model, given, expected, columns=NUMBERS):
    write(name, model, train[columns], held[columns], rows_of(held[columns]), {"predictions": [{given: each} for each in expected.tolist()]})


targets = np.stack([train["area"] > 100, train["rooms"] > 3], axis=1).astype(int)
forest = IsolationForest(n_estimators=10, random_state=0).fit(train[NUMBERS])
rows("outliers", forest, "label", forest.predict(held[NUMBERS]))
scaled_forest = make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=0)).fit(train[NUMBERS])
rows("outliers-scaled", scaled_forest, "label", scaled_forest.predict(held[NUMBERS]))
clusters = make_pipeline(StandardScaler(), KMeans(3, n_init=3, random_state=0)).fit(train[NUMBERS])
rows("clusters", clusters, "label", clusters.predict(held[NUMBERS].astype(float)))
machine = make_pipeline(StandardScaler(), OneClassSVM()).fit(train[NUMBERS])
rows("machine", machine, "label", machine.predict(held[NUMBERS]))
projection = make_pipeline(StandardScaler(), PCA(2)).fit(train[NUMBERS])
rows("projection", projection, "variable", projection.transform(held[NUMBERS]))
many = RandomForestClassifier(5, random_state=0).fit(train[NUMBERS], targets)
rows("several-labels", many, "output_label", many.predict(held[NUMBERS]))
mixed = by_columns().fit(train[MIXED])
rows("encoded", mixed, "transformed_column", np.asarray(mixed.transform(held[MIXED])), MIXED)
gaps = train.copy()
gaps.loc[::7, "area"] = np.nan
imputed = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=2000))
imputed.fit(gaps[NUMBERS], level)
shares = imputed.predict_proba(held[NUMBERS])
write(
    "gaps",
    imputed,
    gaps[NUMBERS],
    held[NUMBERS],
    rows_of(held[NUMBERS]),
    {
        "predictions": imputed.predict(held[NUMBERS]).tolist(),
        "probabilities": [dict(zip(TWO, row.tolist())) for row in shares],
    },
)
texts = ["good film", "bad film", "good play", "awful thing", "nice one", "bad one"] * 5
moods = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["good", "bad"] * 15)
asked = ["good one", "awful film", "nothing known"]
write(
    "texts",
    moods,
    texts,
    asked,
    [{"text": text} for text in asked],
    {
        "predictions": moods.predict(asked).tolist(),
        "probabilities": [dict(zip(["bad", "good"], row.tolist())) for row in moods.predict_proba(asked)],
    },
)

classifier("xgboost", xgboost.XGBClassifier(n_estimators=5), NUMBERS, number, TWO)
regressor("xgboost-regressor", xgboost.XGBRegressor(n_estimators=5), NUMBERS, price)
booster = xgboost.XGBRegressor(n_estimators=5).fit(train[NUMBERS], price).get_booster()
write(
    "xgboost-booster",
    booster,
    train[NUMBERS],
    held[NUMBERS],
    rows_of(held[NUMBERS]),
    {"predictions": booster.predict(xgboost.DMatrix(held[NUMBERS])).tolist()},
)
classifier("lightgbm", lightgbm.LGBMClassifier(n_estimators=5, verbose=-1), NUMBERS, level)
regressor("lightgbm-regressor", lightgbm.LGBMRegressor(n_estimators=5, verbose=-1), NUMBERS, price)
quiet = {"iterations": 5, "verbose": 0, "allow_writing_files": False}
classifier("catboost", catboost.CatBoostClassifier(**quiet), NUMBERS, level)
classifier("catboost-of-numbers", catboost.CatBoostClassifier(**quiet), NUMBERS, number, TWO)
regressor("catboost-regressor", catboost.CatBoostRegressor(**quiet), NUMBERS, price)

# Saved models by the command line.
with tempfile.TemporaryDirectory() as saved:
    train[NUMBERS].to_csv(f"{saved}/rows.csv", index=False)
    forest = RandomForestClassifier(5, random_state=0).fit(train[NUMBERS], level)
    joblib.dump(forest, f"{saved}/forest.onnx")
    shop = xgboost.XGBClassifier(n_estimators=5).fit(train[NUMBERS], number)
    shop.save_model(f"{saved}/shop.json")
    light = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(train[NUMBERS], price)
    light.booster_.save_model(f"{saved}/light.txt")
    cats = catboost.CatBoostClassifier(**quiet).fit(train[NUMBERS], level)
    cats.save_model(f"{saved}/cats.cbm")
    for name, file, model, options in (
        ("file-of-scikit-learn", "forest.onnx", forest, []),
        ("file-of-xgboost", "shop.json", shop, ["--labels", "cheap,dear"]),
        ("file-of-lightgbm", "light.txt", light, []),
        ("file-of-catboost", "cats.cbm", cats, []),
    ):
        target = FOLDER / "exports" / name
        command = [sys.executable, "python/ternion_export.py", f"{saved}/{file}", f"{saved}/rows.csv", target, *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        predicted = np.asarray(model.predict(held[NUMBERS])).reshape(-1).tolist()
        expected = {"predictions": [TWO[each] for each in predicted] if options else predicted}
        if hasattr(model, "predict_proba"):
            shares = model.predict_proba(held[NUMBERS])
            expected["probabilities"] = [dict(zip(TWO, map(float, row))) for row in shares]
        request = {"instances": [{"features": row} for row in rows_of(held[NUMBERS])]}
        answers.append({"name": name, "hasReferences": True, "request": request, **expected})

# A model that cannot be exported is refused with one sentence.
forest = RandomForestClassifier(2).fit(train[NUMBERS], level)
of_truth = lightgbm.LGBMClassifier(verbose=-1).fit(train[NUMBERS], level == "dear")
for model, sample, options, message in (
    (lightgbm.LGBMClassifier(), train[MIXED], {}, "The column 'city' has texts, with which this model cannot be exported"),
    (forest, train[NUMBERS], {"labels": ["a"]}, "There are 1 labels for the 2 classes of the model."),
    (forest, train[NUMBERS].to_numpy(), {"features": ["a"]}, "There are 1 names for 3 columns of the sample."),
    (of_truth, train[NUMBERS], {}, "onnxmltools cannot export this model: "),
    (object(), train[NUMBERS], {}, "Models of the class builtins.object cannot be exported."),
    (forest, train[NUMBERS][:0], {}, "The sample has no rows."),
    ("nowhere.pkl", train[NUMBERS], {}, "nowhere.pkl is neither a file nor a folder with an MLmodel."),
):
    try:
        export(model, sample, FOLDER / "refused", **options)
        raise AssertionError(f"not refused: {message}")
    except ExportError as error:
        assert str(error).startswith(message), error
assert not (FOLDER / "refused").exists()

(FOLDER / "answers.json").write_text(json.dumps(answers))
