"""Exports tabular models to <folder>/exports/<name>, and writes what their libraries answer to other rows.

Usage: python models.py <folder>
"""

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import polars
import scipy.sparse
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier
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

# What tables of users have: gaps, columns that the model does not use, types of other libraries, models of models.
def case(name, model, sample, asked, requests=None, note=""):
    """Exports a trained model, which has to print the note, and keeps its answers to the rows that are asked."""
    printed = io.StringIO()
    expected = {"predictions": np.asarray(model.predict(asked)).tolist()}
    if hasattr(model, "predict_proba"):
        labels = [str(each) for each in model.classes_]
        expected["probabilities"] = [dict(zip(labels, map(float, row))) for row in model.predict_proba(asked)]
    with contextlib.redirect_stderr(printed):
        write(name, model, sample, asked, rows_of(asked) if requests is None else requests, expected)
    assert printed.getvalue() == (f"Note: {note}\n" if note else ""), printed.getvalue()


def with_gaps(frame):
    made = frame.copy()
    made["area"] = made["area"].where(np.arange(len(made)) % 7 != 0)
    return made


def imputed():
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return make_column_transformer((SimpleImputer(strategy="median"), NUMBERS), (texts, ["city", "garden"]))


ALL = [*NUMBERS, "city", "garden"]
UNANSWERED = "requests must have values in these columns, which have gaps in the sample: "
ADVICE = "; a SimpleImputer in the pipeline would fill them in"
UNUSED = "the export leaves out columns of the sample that the model does not use: "
gaps, held_gaps = with_gaps(train), with_gaps(held).astype({"rooms": float})
held_gaps.loc[held_gaps.index[::4], "rooms"] = np.nan
of_texts = gaps.copy()
of_texts["city"] = of_texts["city"].where(np.arange(len(train)) % 11 != 3)
quick = {"n_estimators": 5, "random_state": 0}

linear = make_pipeline(imputed(), LogisticRegression(max_iter=3000))
held_texts = held_gaps.assign(city=held_gaps["city"].where(np.arange(len(held)) % 5 != 1))
case("gaps-linear", linear.fit(of_texts[ALL], level), of_texts[ALL], held_texts[ALL])


def in_texts(name, texts, model, note=None, columns=ALL, asked=held_texts):
    """A model whose sample has missing texts. Its graph fills them in as `texts` does, unless there is a note."""
    numbers = SimpleImputer(strategy="median")
    steps = make_column_transformer((numbers, [each for each in NUMBERS if each in columns]), (texts, ["city", "garden"]))
    fitted = make_pipeline(steps, model).fit(of_texts[columns], level)
    case(name, fitted, of_texts[columns], asked[columns], note=note)
    kept = json.loads((FOLDER / "exports" / name / "reference.json").read_text())["cases"]
    has_gap = any(each["request"]["features"]["city"] is None for each in kept)
    assert has_gap == (note is None), kept
    features = json.loads((FOLDER / "exports" / name / "model.json").read_text())["features"]
    assert [each["name"] for each in features if "minLength" in each] == (["city"] if note else []), features


line = LogisticRegression(max_iter=3000)
constant = make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore"))
in_texts("gaps-constant", constant, line)
in_texts("gaps-category", OneHotEncoder(handle_unknown="ignore"), RandomForestClassifier(**quick))
coded = OrdinalEncoder(encoded_missing_value=-2, handle_unknown="use_encoded_value", unknown_value=-1)
in_texts("gaps-ordinal", coded, line)
missing = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
with_number = make_pipeline(missing, SimpleImputer(strategy="constant", fill_value=-9))
in_texts("gaps-needed", with_number, line, note=f"{UNANSWERED}city{ADVICE}", asked=held_gaps)
only = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"), line)
case("gaps-only-texts", only.fit(of_texts[["city", "garden"]], level), of_texts[["city", "garden"]], held_texts[["city", "garden"]])
spaced = {"area": "living area", "city": "name of city"}
by_names = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["living area", "rooms"]),
    (constant, ["name of city"]),
)
spaced_gaps = of_texts[["area", "rooms", "city"]].rename(columns=spaced)
spaced_model = make_pipeline(by_names, line).fit(spaced_gaps, level)
case("gaps-spaces", spaced_model, spaced_gaps, held_texts[["area", "rooms", "city"]].rename(columns=spaced))
features = json.loads((FOLDER / "exports/gaps-spaces/model.json").read_text())["features"]
assert features == [{"name": "living area"}, {"name": "rooms"}, {"name": "name of city", "type": "string"}], features
polynomial = make_pipeline(PolynomialFeatures(2), RandomForestClassifier(**quick))
case("polynomial", polynomial.fit(train[NUMBERS], level), train[NUMBERS], held[NUMBERS])
grown = make_pipeline(imputed(), RandomForestClassifier(**quick))
case("gaps-forest", grown.fit(gaps[ALL], level), gaps[ALL], held_gaps[ALL])
boosted = HistGradientBoostingClassifier(max_iter=5).fit(gaps[NUMBERS], level)
case("gaps-histograms", boosted, gaps[NUMBERS], with_gaps(held)[NUMBERS])
boosted = HistGradientBoostingRegressor(max_iter=5).fit(gaps[NUMBERS], price)
case("gaps-histograms-regressor", boosted, gaps[NUMBERS], with_gaps(held)[NUMBERS])
hidden = gaps["area"].isna()
tree = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
tree.fit(gaps[NUMBERS], hidden.map({True: "a", False: "b"}))
assert np.isinf(tree[-1].tree_.threshold).any()
case("gaps-tree", tree, gaps[NUMBERS], held[NUMBERS], note=f"{UNANSWERED}area{ADVICE}")

some = make_pipeline(make_column_transformer((StandardScaler(), ["area", "rooms"])), LogisticRegression())
some.fit(train[ALL], level)
case("dropped-columns", some, train[ALL], held[ALL], rows_of(held[["area", "rooms"]]), f"{UNUSED}year, city, garden")
other = ["year", "level", "area", "rooms"]
light = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(train[NUMBERS], price)
case("other-columns", light, train[other], held[NUMBERS], note=f"{UNUSED}level")

members = [("a", RandomForestClassifier(**quick)), ("b", make_pipeline(StandardScaler(), LogisticRegression()))]
case("stacked", StackingClassifier(members).fit(train[NUMBERS], level), train[NUMBERS], held[NUMBERS])
by_texts = [("a", make_pipeline(by_columns(), members[0][1])), ("b", make_pipeline(by_columns(), LogisticRegression()))]
case("voted", VotingClassifier(by_texts, voting="soft").fit(train[MIXED], level), train[MIXED], held[MIXED])
numbers = make_pipeline(StandardScaler(), VotingRegressor([("a", RandomForestRegressor(**quick)), ("b", Ridge())]))
case("voted-regressors", numbers.fit(train[NUMBERS], price), train[NUMBERS], held[NUMBERS])
calibrated = make_pipeline(StandardScaler(), CalibratedClassifierCV(RandomForestClassifier(**quick), cv=3))
case("calibrated", calibrated.fit(train[NUMBERS], level), train[NUMBERS], held[NUMBERS])
machines = make_pipeline(StandardScaler(), LinearSVC()).fit(train[NUMBERS], train["city"])
case("linear-machine", machines, train[NUMBERS], held[NUMBERS])
ridge = make_pipeline(StandardScaler(), RidgeClassifier()).fit(train[NUMBERS], train["city"])
case("ridge", ridge, train[NUMBERS], held[NUMBERS])
both = MultiOutputClassifier(LogisticRegression(max_iter=3000)).fit(train[NUMBERS], train[["level", "garden"]])
rows("several-texts", both, "label", both.predict(held[NUMBERS]))

nullable = {"area": "Float64", "rooms": "Int64", "year": object, "garden": "boolean", "city": "category"}
given, asked = (each[ALL].assign(garden=each["garden"] == "yes").astype(nullable) for each in (train, held))
given.loc[::9, "rooms"] = pd.NA
encoded = make_column_transformer((OneHotEncoder(), ["city"]), (SimpleImputer(), NUMBERS), remainder="passthrough")
case("nullable-types", make_pipeline(encoded, LogisticRegression(max_iter=3000)).fit(given, level), given, asked)
sparse_rows, dense = scipy.sparse.csr_matrix(train[NUMBERS].to_numpy()), held[NUMBERS].to_numpy()
case("sparse", LogisticRegression(max_iter=3000).fit(sparse_rows, level), sparse_rows, dense, dense.tolist())
polar = polars.DataFrame({name: train[name].tolist() for name in ALL})
words = make_column_transformer((OneHotEncoder(), ["city", "garden"]), remainder="passthrough")
polar_model = make_pipeline(words, LogisticRegression(max_iter=3000)).fit(polar, level)
case("polars", polar_model, polar, held[ALL])
exact = make_column_transformer((OneHotEncoder(handle_unknown="error"), ["rooms"]), remainder="passthrough")
floats = train[NUMBERS].astype({"rooms": float})
case("encoded-floats", make_pipeline(exact, LogisticRegression(max_iter=3000)).fit(floats, level), floats, held[NUMBERS])

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

# Columns have ranges if these are asked for.
forest = RandomForestClassifier(2).fit(train[NUMBERS], level)
kept = []
for options in ({}, {"ranges": True}):
    export(forest, train[NUMBERS], FOLDER / "ranges", **options)
    kept.append(json.loads((FOLDER / "ranges" / "model.json").read_text())["features"][1])
low, high = int(train["rooms"].min()), int(train["rooms"].max())
assert kept == [{"name": "rooms"}, {"name": "rooms", "range": [2 * low - high, 2 * high - low]}], kept

# A model that cannot be exported is refused with one sentence.
forest = RandomForestClassifier(2).fit(train[NUMBERS], level)
of_truth = lightgbm.LGBMClassifier(verbose=-1).fit(train[NUMBERS], level == "dear")
of_texts = catboost.CatBoostClassifier(**quiet, cat_features=["city"]).fit(train[MIXED[:3]], level)
cats = make_pipeline(StandardScaler(), catboost.CatBoostClassifier(**quiet)).fit(train[NUMBERS], level)
indicated = make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=3000)).fit(gaps[NUMBERS], level)
by_kind = HistGradientBoostingClassifier(max_iter=2, categorical_features=[1]).fit(train[NUMBERS], level)
kinds = train[MIXED].astype({"city": "category"})[["city", "rooms"]]
of_kinds = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(kinds, level)
target = TransformedTargetRegressor(Ridge()).fit(train[NUMBERS], price)
loud = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(train[NUMBERS], price)


def fail_loudly(_):
    raise ValueError("a whole model " * 100_000)


loud.predict = fail_loudly
for model, sample, options, message in (
    (of_texts, train[MIXED[:3]], {}, "The column 'city' has texts, with which this model cannot be exported"),
    (of_kinds, kinds, {}, "The column 'city' has categories, with which this model cannot be exported"),
    (
        forest,
        train[NUMBERS],
        {"preprocess": [{"step": "to_tensor"}]},
        "preprocess has the unknown step 'to_tensor'; the steps are decode, orient, ",
    ),
    (forest, train[["area", "rooms"]], {}, "The sample lacks columns that the model was trained with: year."),
    (forest, train[ALL].to_numpy()[:, :2], {}, "The sample has 2 columns; the model was trained with 3."),
    (forest, train[[*NUMBERS, "area"]], {}, "The sample has two columns 'area'; rename one before training."),
    (LogisticRegression(), train[NUMBERS], {}, "The LogisticRegression is not trained; call its fit first."),
    (GridSearchCV(forest, {}), train[NUMBERS], {}, "The GridSearchCV is not trained; call its fit first."),
    (make_pipeline(StandardScaler(), Ridge()), train[NUMBERS], {}, "The Pipeline is not trained; call its fit first."),
    (xgboost.XGBClassifier(), train[NUMBERS], {}, "The XGBClassifier is not trained; call its fit first."),
    (lightgbm.LGBMClassifier(), train[MIXED], {}, "The LGBMClassifier is not trained; call its fit first."),
    (catboost.CatBoostClassifier(), train[NUMBERS], {}, "The CatBoostClassifier is not trained; call its fit first."),
    (Ridge, train[NUMBERS], {}, "Ridge is a class; pass a trained object of it."),
    (
        cats,
        train[NUMBERS],
        {},
        "skl2onnx cannot export this model: it has no converter for CatBoostClassifier; use XGBoost, LightGBM or "
        "HistGradientBoosting in the pipeline, or export the CatBoost model alone",
    ),
    (target, train[NUMBERS], {}, "skl2onnx cannot export this model: it has no converter for TransformedTargetRegressor"),
    (indicated, gaps[NUMBERS], {}, "SimpleImputer(add_indicator=True) cannot be exported; leave out the indicator."),
    (by_kind, train[NUMBERS], {}, "HistGradientBoostingClassifier with categorical features cannot be exported: "),
    (loud, train[NUMBERS], {}, "The model cannot be exported with this sample: a whole model a whole model "),
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
        assert len("".join(traceback.format_exception(error))) < 8_000, message
assert not (FOLDER / "refused").exists()

# A target that cannot be a folder of an export.
(FOLDER / "file").write_text("kept")
for target, message in (
    (FOLDER / "refused" / "model.onnx", f"{FOLDER}/refused/model.onnx is the name of a graph; name a folder, such as "),
    (FOLDER / "file", f"{FOLDER}/file is a file; name a folder"),
    (FOLDER / "file" / "export", f"{FOLDER}/file is a file; name a folder"),
):
    try:
        export(forest, train[NUMBERS], target)
        raise AssertionError(f"not refused: {message}")
    except ExportError as error:
        assert str(error).startswith(message), error
assert (FOLDER / "file").read_text() == "kept"
assert (FOLDER / "exports" / "forest").stat().st_mode == (FOLDER / "exports").stat().st_mode

# A package that is there, without one that it imports.
without = (
    "import sys, lightgbm, numpy, ternion_export\n"
    "sys.modules['packaging'] = None\n"
    "rows = numpy.random.rand(30, 2)\n"
    "ternion_export.export(lightgbm.LGBMRegressor(verbose=-1).fit(rows, rows[:, 0]), rows, 'refused')"
)
failed = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True)
assert failed.stderr.endswith("This export needs packaging: pip install packaging\n"), failed.stderr
command = [sys.executable, "python/ternion_export.py"]
failed = subprocess.run([*command, "examples/data/houses.csv", "nowhere.csv", "refused"], capture_output=True, text=True)
assert failed.stderr.startswith("nowhere.csv cannot be read: "), failed.stderr

(FOLDER / "answers.json").write_text(json.dumps(answers))
