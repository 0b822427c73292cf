"""Exports a trained model to a folder that `ternion add` publishes: model.onnx, model.json and reference.json.

    from ternion_export import export
    export(model, sample, "exports/houses")

or on the command line, with a saved model and a table:

    python ternion_export.py forest.joblib houses.csv exports/houses

It takes scikit-learn estimators and pipelines, XGBoost, LightGBM, CatBoost, Keras and PyTorch models, transformers
models and pipelines, and the URI of an MLflow model. It is a single file for Python 3.10 and later: copy it where you
need it. It imports only the framework of the model and its exporter:

    scikit-learn  skl2onnx                Keras         what Model.export(format="onnx") asks for
    XGBoost       onnxmltools, packaging  PyTorch       onnx, onnxscript
    LightGBM      onnxmltools, packaging  transformers  optimum-onnx
    CatBoost      nothing                 MLflow        mlflow, and the exporter of the flavour
"""

import argparse
import contextlib
import copy
import importlib
import itertools
import json
import math
import re
import shutil
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

MOST_CASES = 10
"""How many rows of the sample become requests with their correct answers."""
FEWEST_FOR_RANGES = 20
"""A shorter sample says too little about the possible values of a column."""
LONGEST_REASON = 200
"""Most characters of a reason that another library gives: some print the whole model."""


class ExportError(Exception):
    """The model cannot be exported; the message says what to do."""


def export(
    model,
    sample,
    folder,
    *,
    features=None,
    labels=None,
    description=None,
    preprocess=None,
    ranges=False,
    dynamo=True,
):
    """Writes a model and the facts about it into a folder.

    model        the trained model; for transformers also (model, tokenizer); for MLflow a URI such as "models:/iris/1"
    sample       rows as the model takes them: a data frame, an array, or texts for a text model
    folder       where the files go; it is created if needed, and files of an earlier export in it are replaced
    features     names of the columns, if the sample has none
    labels       names of the classes, if the model was trained on numbers
    description  a sentence for the people who call the model
    preprocess   for an image model: the steps from an image to its input, as in model.json
    ranges       True gives columns of numbers a range, and requests with values outside of it are refused: the range of
                 the sample, extended by its width on both sides
    dynamo       for PyTorch: True uses the exporter of torch.export, False the older one of TorchScript

    Returns the path of the folder.
    """
    if isinstance(model, (str, Path)):
        with _failing(f"{model} cannot be loaded"):
            model = load(str(model))
    folder = Path(folder)
    _check_folder(folder)
    _check_steps(preprocess)
    _check_trained(model)
    with tempfile.TemporaryDirectory() as private:
        # Others may read the export; the folder for temporary files is private, and copies keep its permissions.
        made = Path(private) / "export"
        made.mkdir()
        options = _Options(made, features, labels, preprocess, dynamo)
        with _failing("The model cannot be exported with this sample"):
            facts = _exporter_of(model)(model, sample, options)
        _check(facts)
        _find_gaps(facts, options)
        _write(facts, made, description, ranges)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("model.onnx", "model.onnx.data", "model.json", "reference.json"):
            (folder / name).unlink(missing_ok=True)
        shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder


def _check_folder(folder):
    if folder.suffix.lower() == ".onnx":
        raise ExportError(f"{folder} is the name of a graph; name a folder, such as {folder.with_suffix('')}.")
    file = next((each for each in (folder, *folder.parents) if each.exists() and not each.is_dir()), None)
    if file is not None:
        raise ExportError(f"{file} is a file; name a folder that can hold model.onnx, model.json and reference.json.")


STEPS = ("decode", "orient", "convert", "resize", "centerCrop", "rescale", "normalize", "layout", "datatype")
"""Names of the steps from an image to an input, as in docs/model.schema.json."""


def _check_steps(preprocess):
    for step in preprocess or []:
        name = step.get("step") if isinstance(step, dict) else step
        if name not in STEPS:
            raise ExportError(f"preprocess has the unknown step {name!r}; the steps are {', '.join(STEPS)}.")


def _check_trained(model):
    if isinstance(model, type):
        raise ExportError(f"{model.__name__} is a class; pass a trained object of it.")
    if not (hasattr(model, "fit") and hasattr(model, "get_params")):
        return
    if hasattr(model, "is_fitted"):
        is_trained = model.is_fitted()
    else:
        checks = importlib.import_module("sklearn.utils.validation")
        try:
            checks.check_is_fitted(model)
            is_trained = True
        except importlib.import_module("sklearn.exceptions").NotFittedError:
            is_trained = False
    if not is_trained:
        raise ExportError(f"The {type(model).__name__} is not trained; call its fit first.")


def _note(text):
    """Says what the user should know about an export that works."""
    print(f"Note: {text}", file=sys.stderr)


class _Options:
    def __init__(self, folder, features, labels, preprocess, dynamo):
        self.folder = folder
        self.path = folder / "model.onnx"
        self.features = features
        self.labels = labels
        self.preprocess = preprocess
        self.dynamo = dynamo


class _Facts:
    """Facts about an exported model: its part of model.json, and rows with their answers."""

    def __init__(self, task, table=None, predictions=None, probabilities=None, answer=None, **config):
        self.task = task
        self.table = table
        self.predictions = predictions
        self.probabilities = probabilities
        self.texts = None
        self.config = config
        self.answer = answer
        """Answers rows with numbers, for models whose answers can change abruptly."""


# A framework is recognised by the modules of the classes of a model.
def _exporter_of(model):
    if isinstance(model, tuple):
        return _export_transformers
    modules = [kind.__module__ for kind in type(model).__mro__]
    for prefix, exporter in (
        ("mlflow.pyfunc", _export_pyfunc),
        ("transformers.", _export_transformers),
        ("xgboost", _export_xgboost),
        ("lightgbm", _export_lightgbm),
        ("catboost", _export_catboost),
        ("keras", _export_keras),
        ("torch.", _export_torch),
        ("onnx.", _export_onnx),
        ("sklearn", _export_sklearn),
    ):
        if any(module.startswith(prefix) for module in modules):
            return exporter
    raise ExportError(f"Models of the class {type(model).__module__}.{type(model).__name__} cannot be exported.")


# Tables


class _Table:
    """The sample as named columns, those of the model in its order."""

    def __init__(self, sample, features, model=None):
        self.frame = _frame_of(sample, model)
        if self.frame is not None:
            self.names = [str(name) for name in self.frame.columns]
            self.columns = [self.frame.iloc[:, index].to_numpy() for index in range(len(self.names))]
        else:
            array = np.asarray(sample.toarray() if hasattr(sample, "toarray") else sample)
            if array.ndim == 1 and array.dtype.kind in "UO":
                # One text per row, as vectorizers take them.
                array, features = array.astype(object).reshape(-1, 1), features or ["text"]
            if array.ndim != 2:
                raise ExportError(f"The sample has {array.ndim} axes; a table has two: rows and columns.")
            self.names = None
            self.columns = list(array.T)
        if features is not None:
            if len(features) != len(self.columns):
                raise ExportError(f"There are {len(features)} names for {len(self.columns)} columns of the sample.")
            self.names = list(features)
        if not self.columns or len(self.columns[0]) == 0:
            raise ExportError("The sample has no rows.")
        self.refused = []
        """Indexes of the columns that cannot have missing values in requests, but have some in the sample."""
        _check_width(self.width, model)

    @property
    def width(self):
        return len(self.columns)

    def is_text(self, index):
        return self.columns[index].dtype.kind not in "biuf"

    @property
    def has_texts(self):
        return any(self.is_text(index) for index in range(self.width))

    def matrix(self):
        """All columns as float32, the type in which graphs compute."""
        if self.has_texts:
            index = next(index for index in range(self.width) if self.is_text(index))
            name = self.names[index] if self.names else index
            is_category = self.frame is not None and hasattr(self.frame.dtypes.iloc[index], "categories")
            raise ExportError(
                f"The column {name!r} has {'categories' if is_category else 'texts'}, with which this model "
                "cannot be exported: turn them into numbers in a scikit-learn pipeline with a ColumnTransformer, "
                "or before training."
            )
        return np.stack([column.astype(np.float32) for column in self.columns], axis=1)

    def as_trained(self, factor=1.0):
        """The sample for the original model, with its numbers rounded to float32, as the graph gets them."""
        if self.frame is None:
            if self.has_texts:
                return list(self.columns[0]) if self.width == 1 else np.stack(self.columns, axis=1)
            return (self.matrix() * factor).astype(np.float32)
        made = self.frame.copy()
        for name in made.columns:
            if made[name].dtype.kind == "f":
                made[name] = (made[name].astype(np.float32) * factor).astype(np.float32)
        return made

    def describe(self, ranges):
        if self.names is None:
            return None
        return [self._describe(index, name, ranges) for index, name in enumerate(self.names)]

    def _describe(self, index, name, ranges):
        column = self.columns[index]
        if self.is_text(index):
            # The graph cannot fill in a missing text, which would be an empty one.
            return {"name": name, "type": "string", **({"minLength": 1} if index in self.refused else {})}
        if not ranges or column.dtype.kind == "b" or len(column) < FEWEST_FOR_RANGES:
            return {"name": name}
        numbers = column[np.isfinite(column)].astype(float)
        if numbers.size == 0 or numbers.min() == numbers.max():
            return {"name": name}
        low, high = float(numbers.min()), float(numbers.max())
        spread = high - low
        return {"name": name, "range": [_round(low - spread), _round(high + spread)]}

    def row(self, index):
        cells = [self._cell(place, index) for place in range(self.width)]
        return cells if self.names is None else dict(zip(self.names, cells))

    def _cell(self, place, index):
        cell = _cell(self.columns[place][index])
        # Truth values with gaps are objects, and texts in the graph.
        return str(cell) if self.is_text(place) and cell is not None else cell

    def cases(self, answer):
        """Rows for reference.json, with a missing value of each column that can have one, and without rows whose answer
        changes with the last digits: they lie on a threshold of a tree, where float32 and float64 differ."""
        all_rows = np.arange(len(self.columns[0]))
        rows = all_rows[~(self._is_refused() | self._is_unsteady(answer))].tolist()
        if len(rows) == 0:
            return []
        columns = [self.is_missing(index) for index in range(self.width)]
        gaps = [next((row for row in rows if missing[row]), None) for missing in columns]
        filled = sorted({row for row in gaps if row is not None})[: MOST_CASES // 2]
        others = np.linspace(0, len(rows) - 1, min(len(rows), MOST_CASES - len(filled)))
        return sorted({*filled, *(rows[round(at)] for at in others)})

    def is_missing(self, index):
        """Which cells of a column have no value."""
        column = self.columns[index]
        if self.is_text(index):
            return np.array([_cell(value) is None for value in column])
        return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)

    def without_answer(self, inputs):
        """Indexes of the columns with missing values for which the graph has no answer. `inputs` says for each input
        whether its values can be missing."""
        # skl2onnx gives inputs other names if columns have spaces, but keeps their order.
        takes = list(inputs.values()) * (self.width if len(inputs) == 1 else 1)
        return [index for index in range(self.width) if self.is_missing(index).any() and not takes[index]]

    def _is_refused(self):
        gaps = [self.is_missing(index) for index in self.refused]
        return np.any(gaps, axis=0) if gaps else np.zeros(len(self.columns[0]), dtype=bool)

    def _is_unsteady(self, answer):
        count = len(self.columns[0])
        steady = np.zeros(count, dtype=bool)
        if answer is None:
            return steady
        try:
            answers = [np.asarray(answer(self.as_trained(factor))) for factor in (1, 1 - 1e-6, 1 + 1e-6)]
        except ValueError:
            # An encoder knows only the numbers of the sample.
            return steady
        wide = [each.reshape(count, -1) for each in answers]
        return np.any([~_are_close(wide[0], each).all(axis=1) for each in wide[1:]], axis=0)


def _are_close(some, others):
    try:
        return np.isclose(some.astype(float), others.astype(float), rtol=1e-4, atol=1e-5)
    except ValueError:
        return some == others


def _frame_of(sample, model):
    """A data frame of pandas with the columns of the model, in types that NumPy knows; None for other samples."""
    if hasattr(sample, "columns") and hasattr(sample, "iloc"):
        frame = sample
    elif hasattr(sample, "to_dict") and hasattr(sample, "get_column"):
        frame = _need("pandas", "pandas").DataFrame(sample.to_dict(as_series=False))  # Polars
    elif hasattr(sample, "to_pydict"):
        frame = _need("pandas", "pandas").DataFrame(sample.to_pydict())  # Arrow
    else:
        return None
    doubled = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if doubled:
        raise ExportError(f"The sample has two columns {doubled[0]!r}; rename one before training.")
    frame = _with_columns_of(model, frame)
    for name in frame.columns:
        inferred = frame[name].infer_objects()
        # pandas 3 would turn a missing text from None into NaN, which is another category for an encoder.
        if frame[name].dtype == object and inferred.dtype.kind in "biufM":
            frame[name] = inferred
        plain = getattr(frame[name].dtype, "numpy_dtype", None)
        if plain is not None and plain.kind in "biuf":
            has_gaps = frame[name].isna().any()
            column = frame[name].to_numpy(float, na_value=np.nan) if has_gaps else frame[name].to_numpy(plain)
            frame[name] = column
    return frame


def _with_columns_of(model, frame):
    """The columns that the model was trained with and uses, in its order. LightGBM has underscores for spaces."""
    given = {str(name).replace(" ", "_"): name for name in frame.columns}
    trained = [str(name).replace(" ", "_") for name in _trained_names(model)]
    if not any(name in given for name in trained):
        return frame.copy()
    used = _used_names(model)
    if used is not None:
        trained = [name for name in trained if name in {each.replace(" ", "_") for each in used}]
    missing = [name for name in trained if name not in given]
    if missing:
        raise ExportError(f"The sample lacks columns that the model was trained with: {', '.join(missing)}.")
    unused = [str(name) for key, name in given.items() if key not in trained]
    if unused:
        _note(f"the export leaves out columns of the sample that the model does not use: {', '.join(unused)}")
    return frame[[given[name] for name in trained]].copy()


def _trained_names(model):
    # Boosters without the interface of scikit-learn have other names for it; LightGBM's is a method.
    for attribute in ("feature_names_in_", "feature_names_", "feature_names", "feature_name"):
        names = getattr(model, attribute, None)
        names = names() if callable(names) else names
        if names is not None and len(names) > 0:
            return list(names)
    return []


def _used_names(model):
    """The columns that a ColumnTransformer at the start of a model passes on; None if that is unknown."""
    first = getattr(model, "best_estimator_", model)
    while type(first).__name__ == "Pipeline":
        first = first.steps[0][1]
    if type(first).__name__ != "ColumnTransformer":
        return None
    used = set()
    for _, transformer, columns in first.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        chosen = [columns] if isinstance(columns, str) or not hasattr(columns, "__iter__") else list(columns)
        if not all(isinstance(each, str) for each in chosen):
            return None
        used.update(chosen)
    return used


def _check_width(width, model):
    if _used_names(model) is not None:
        return
    expected = getattr(model, "n_features_in_", None)
    # A CatBoost model from a file says 0.
    if expected and width != expected:
        raise ExportError(f"The sample has {width} columns; the model was trained with {expected}.")


def _round(number):
    return float(f"{number:.6g}")


def _cell(value):
    """A cell as a JSON value; numbers are those that the graph gets."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(np.float32(value)) if math.isfinite(value) else None
    return str(value)


def _labels_of(classes, options):
    own = [label.item() if isinstance(label, np.generic) else label for label in classes]
    if options.labels is None:
        return [label if isinstance(label, str) else int(label) for label in own]
    if len(options.labels) != len(own):
        raise ExportError(f"There are {len(options.labels)} labels for the {len(own)} classes of the model.")
    return list(options.labels)


def _classification(table, labels, classes, predicted, probabilities, **config):
    """Facts about a classifier of rows. `predicted` has the classes of the model, the answers have the labels."""
    names = dict(zip([str(each) for each in classes], labels))
    answers = [names[str(each)] for each in np.asarray(predicted).reshape(-1)]
    return _Facts("tabular-classification", table, answers, probabilities, labels=labels, **config)


def _regression(table, predicted):
    numbers = np.asarray(predicted, dtype=float)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    return _Facts("tabular-regression", table, numbers.tolist())


# scikit-learn


def _export_sklearn(model, sample, options):
    from sklearn.base import is_classifier, is_regressor

    skl2onnx = _need("skl2onnx", "skl2onnx")
    table = _Table(sample, options.features, model)
    _check_parts(model)
    with _converting("skl2onnx", model):
        onx = _convert(skl2onnx.to_onnx, model, table)
    options.path.write_bytes(onx.SerializeToString())
    trained = table.as_trained() if hasattr(model, "feature_names_in_") or table.has_texts else table.matrix()
    if (is_classifier(model) and _has_one_answer(model)) or is_regressor(model):
        facts = _estimator(model, table, trained, options)
        if facts.probabilities is not None and len(onx.graph.output) > 1:
            # The graph of a model of models does not show that these numbers are probabilities.
            facts.config["output"] = {"probabilities": onx.graph.output[1].name}
        return facts
    return _rows(model, table, trained, onx)


def _rows(model, table, trained, onx):
    """Clusters, outliers, several labels, transformed columns: the outputs of the graph for each row, by their names."""
    first = onx.graph.output[0].name
    method = getattr(model, "predict", None) or getattr(model, "transform", None)

    def answer(rows):
        try:
            given = method(rows)
        except ValueError:
            # A k-means model that was trained on doubles refuses float32.
            given = method(_as_doubles(rows))
        return given.toarray() if hasattr(given, "toarray") else np.asarray(given)

    return _Facts("tabular", table, [{first: row} for row in answer(trained).tolist()], answer=answer)


def _as_doubles(rows):
    if hasattr(rows, "select_dtypes"):
        return rows.astype({name: float for name in rows.select_dtypes("float32")})
    return rows.astype(float) if hasattr(rows, "astype") else rows


def _convert(to_onnx, model, table):
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType

    converted, opsets = _with_boosters(_convertible(model))
    to_onnx = _with_repairs(to_onnx, model)
    if not _scales_before_trees(model):
        types = _initial_types(model, table, FloatTensorType, Int64TensorType)
        return to_onnx(converted, initial_types=types, target_opset=opsets)
    # A threshold can be a value of the sample; scaled in float32 it could be on the other side. So everything is double
    # up to the trees. Encoders of whole numbers accept only whole numbers, and models of models continue with doubles.
    # Some steps cannot compute in double: then rows near a threshold can differ, and reference.json omits them.
    for integers, is_double_after in itertools.product((DoubleTensorType, Int64TensorType), (False, True)):
        try:
            types = _initial_types(model, table, DoubleTensorType, integers)
            onx = to_onnx(converted, initial_types=types, target_opset=opsets)
            _cast_around_trees(onx, is_double_after)
            importlib.import_module("onnx.checker").check_model(onx, full_check=True)
            return onx
        except Exception:
            continue
    return to_onnx(
        converted,
        initial_types=_initial_types(model, table, FloatTensorType, Int64TensorType),
        target_opset=opsets,
    )


def _with_repairs(to_onnx, model):
    """The converter without two of its faults: it gives truth values where ONNX has whole numbers, which protobuf 7
    refuses, and it gives some classifiers in a pipeline an option that they do not have."""
    container = importlib.import_module("skl2onnx.common._container")
    without_map = [type(part) for part in _parts_of(model) if type(part).__name__ in ("LinearSVC", "RidgeClassifier")]

    def convert(*args, **more):
        with mock.patch.object(container, "make_node", _with_whole_numbers(container.make_node)):
            return to_onnx(*args, **more, options={kind: {} for kind in without_map} or None)

    return convert


def _with_whole_numbers(make_node):
    def make(*args, **attributes):
        for name, value in attributes.items():
            if isinstance(value, list) and any(isinstance(each, (bool, np.bool_)) for each in value):
                attributes[name] = [int(each) for each in value]
        return make_node(*args, **attributes)

    return make


def _check_parts(model):
    """Refuses parts that skl2onnx converts to a graph with other answers."""
    for part in _fitted_parts(model):
        name = type(part).__name__
        if getattr(part, "add_indicator", False):
            raise ExportError(f"{name}(add_indicator=True) cannot be exported; leave out the indicator.")
        if name.startswith("HistGradientBoosting") and np.any(getattr(part, "is_categorical_", None)):
            raise ExportError(
                f"{name} with categorical features cannot be exported: encode them in a ColumnTransformer before it, "
                "and leave out categorical_features."
            )


def _fitted_parts(model):
    """A trained model and all estimators in it, also those that fit has made."""
    kept, seen = [model], set()
    while kept:
        part = kept.pop()
        if isinstance(part, (list, tuple)) or (isinstance(part, np.ndarray) and part.dtype == object):
            kept.extend(part)
        elif isinstance(part, dict):
            kept.extend(part.values())
        elif hasattr(part, "get_params") and id(part) not in seen:
            seen.add(id(part))
            yield part
            kept.extend(getattr(part, "__dict__", {}).values())


def _convertible(model):
    """The model as skl2onnx can convert it. A missing text is an empty text in the graph: imputers fill these in, and
    so does a new imputer before encoders that learned missing texts as a category. A VotingClassifier transforms in
    another shape. Infinite thresholds separate missing values from all others; the converter does not end on them."""
    tests = (_is_text_imputer, _encodes_missing_texts, _is_voting, _has_infinite_threshold)
    if not any(test(part) for part in _fitted_parts(model) for test in tests):
        return model
    made = copy.deepcopy(model)
    for part in list(_fitted_parts(made)):
        if _is_voting(part):
            part.flatten_transform = False
        if _has_infinite_threshold(part):
            part.tree_.threshold[np.isinf(part.tree_.threshold)] = np.finfo(np.float32).max
        if _is_text_imputer(part):
            _fill_empty_texts(part)
        if type(part).__name__ == "Pipeline":
            part.steps = [step for name, each in part.steps for step in _with_filler(name, each)]
        for attribute in ("transformers_", "transformer_list"):
            members = getattr(part, attribute, None)
            if members is not None:
                setattr(part, attribute, [(name, _in_pipeline(each), *columns) for name, each, *columns in members])
    return _in_pipeline(made)


def _fill_empty_texts(imputer):
    if not isinstance(imputer.missing_values, str):
        imputer.missing_values = ""
    imputer.statistics_ = np.array([str(value) for value in imputer.statistics_], dtype=object)
    imputer.fill_value = None


def _encodes_missing_texts(part):
    """Whether a category of an encoder of texts stands for missing texts, and the graph can have a code for it."""
    categories = getattr(part, "categories_", None)
    if type(part).__name__ not in ("OneHotEncoder", "OrdinalEncoder") or categories is None:
        return False
    if type(part).__name__ == "OrdinalEncoder" and not _is_whole(part.encoded_missing_value):
        return False
    return any(each.dtype.kind in "OU" and any(map(_is_no_text, each)) for each in categories)


def _is_whole(number):
    return isinstance(number, (int, float, np.number)) and float(number).is_integer()


def _is_no_text(value):
    return _cell(value) is None


MISSING_TEXT = "<missing>"
"""Stands for the category of missing texts in the graph of a OneHotEncoder."""


def _with_filler(name, part):
    """Steps of a pipeline: an imputer that turns empty texts into the category of missing ones, and their encoder."""
    if not _encodes_missing_texts(part):
        return [(name, part)]
    # The converter gives the category of NaN its own code only in an OrdinalEncoder; its text is "nan" there.
    is_ordinal = type(part).__name__ == "OrdinalEncoder"
    category, text = (np.nan, "nan") if is_ordinal else (MISSING_TEXT, MISSING_TEXT)
    filler = importlib.import_module("sklearn.impute").SimpleImputer(missing_values="", strategy="constant")
    filler.statistics_ = np.array([text] * len(part.categories_), dtype=object)
    part.categories_ = [
        np.array([category if _is_no_text(value) else value for value in each], dtype=object)
        for each in part.categories_
    ]
    return [(f"{name}_filled", filler), (name, part)]


def _in_pipeline(part):
    steps = _with_filler("encoder", part)
    return part if len(steps) == 1 else importlib.import_module("sklearn.pipeline").Pipeline(steps)


def _is_voting(part):
    return type(part).__name__ == "VotingClassifier"


def _has_infinite_threshold(part):
    return hasattr(part, "tree_") and bool(np.isinf(part.tree_.threshold).any())


def _is_text_imputer(part):
    values = getattr(part, "statistics_", None)
    if type(part).__name__ != "SimpleImputer" or values is None:
        return False
    return any(isinstance(value, (str, bool, np.bool_)) for value in values.tolist())


def _imputed_names(model):
    """Columns that an imputer gets: their whole numbers can be missing, so they are floats in the graph."""
    chosen = set()
    for part in _fitted_parts(model):
        # The model of a search also has a ColumnTransformer that is not trained.
        if type(part).__name__ != "ColumnTransformer" or not hasattr(part, "transformers_"):
            continue
        for _, transformer, columns in part.transformers_:
            is_imputed = any(type(each).__name__.endswith("Imputer") for each in _fitted_parts([transformer]))
            if is_imputed and not isinstance(columns, slice):
                chosen.update([columns] if isinstance(columns, str) else columns)
    return chosen


def _scales_before_trees(model):
    names = [type(part).__name__ for part in _parts_of(model)]
    # The converter of isolation forests takes float32 alone.
    return "Pipeline" in names and any(re.search("(?<!Isolation)Forest|Tree|Boost|XGB", name) for name in names)


def _cast_around_trees(onx, is_double_after):
    """Trees compare values rounded to float32; trees with double thresholds take these values as doubles. Their answers
    are float32, which other steps take, or doubles again. Imputers and maps of probabilities are float32 too."""
    from onnx import TensorProto, helper

    nodes = list(onx.graph.node)
    outputs = {output.name: output.type for output in onx.graph.output}
    made = []

    def cast(name, to, ending):
        made.append(helper.make_node("Cast", [name], [f"{name}_{len(made)}_{ending}"], to=to))
        return made[-1].output[0]

    def add_and_cast(node):
        """Adds a node whose numbers get their name after a cast to double."""
        name = node.output[-1]
        node.output[-1] = f"{name}_{len(made)}_float32"
        made.extend([node, helper.make_node("Cast", [node.output[-1]], [name], to=TensorProto.DOUBLE)])

    for node in nodes:
        is_tree = node.op_type in ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
        attributes = {attribute.name for attribute in node.attribute}
        is_imputer = node.op_type == "Imputer" and "imputed_value_floats" in attributes
        if is_tree or is_imputer or node.op_type == "ZipMap":
            node.input[0] = cast(node.input[0], TensorProto.FLOAT, "float32")
        if is_tree and any(name.endswith("_as_tensor") for name in attributes):
            node.input[0] = cast(node.input[0], TensorProto.DOUBLE, "double")
        number = node.output[-1]
        if is_imputer or (is_tree and is_double_after and number not in outputs):
            add_and_cast(node)
            continue
        made.append(node)
        if node.op_type == "TreeEnsembleRegressor" and number in outputs:
            outputs[number].tensor_type.elem_type = TensorProto.FLOAT
        if node.op_type == "ZipMap" and number in outputs:
            outputs[number].sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = TensorProto.FLOAT
    del onx.graph.node[:]
    onx.graph.node.extend(made)
    if is_double_after:
        _widen_constants(onx)


def _widen_constants(onx):
    """A step that was trained on float32 has float32 constants, which arithmetic does not take beside doubles."""
    from onnx import TensorProto, numpy_helper

    terms = {name for node in onx.graph.node if node.op_type in ("Add", "Sub", "Mul", "Div") for name in node.input}
    for constant in onx.graph.initializer:
        if constant.name in terms and constant.data_type == TensorProto.FLOAT:
            constant.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(constant).astype(float), constant.name))


def _has_one_answer(model):
    classes = getattr(model, "classes_", None)
    return isinstance(classes, np.ndarray) and classes.ndim == 1 and not getattr(model, "multilabel_", False)


def _initial_types(model, table, floats, integers):
    """One matrix, or an input per column if the model chooses columns by their names or takes texts."""
    from skl2onnx.common.data_types import StringTensorType

    # Imputers take one matrix of texts, but not one input per column.
    is_matrix = table.width > 1 and all(table.is_text(index) for index in range(table.width))
    if not (table.names and (_chooses_columns(model) or (table.has_texts and not is_matrix))):
        kind = StringTensorType if table.has_texts else floats
        return [("input", kind([None, table.width]))]
    # Converters accept truth values only as whole numbers.
    kinds = {"b": integers, "i": integers, "u": integers, "f": floats}
    imputed = _imputed_names(model)

    def kind_of(name, column):
        kind = column.dtype.kind
        return kinds.get("f" if name in imputed and kind in kinds else kind, StringTensorType)

    return [(name, kind_of(name, column)([None, 1])) for name, column in zip(table.names, table.columns)]


def _parts_of(model):
    """A model and all estimators in it."""
    yield model
    parameters = model.get_params(deep=True) if hasattr(model, "get_params") else {}
    yield from (each for each in parameters.values() if hasattr(each, "get_params") or hasattr(each, "transform"))


def _chooses_columns(model):
    return any(type(part).__name__ == "ColumnTransformer" for part in _parts_of(model))


OLDER_OPSETS = {"": 18, "ai.onnx.ml": 3}
"""The newest operator sets that the converters of boosters and isolation forests know."""


def _with_boosters(model):
    """The model in a form that skl2onnx can convert, and its operator sets; registers the converters of boosters."""
    boosters = [part for part in _parts_of(model) if type(part).__module__.split(".")[0] in ("xgboost", "lightgbm")]
    if not boosters:
        has_forest = any(type(part).__name__ == "IsolationForest" for part in _parts_of(model))
        return model, OLDER_OPSETS if has_forest else None
    _register(boosters)
    plain = copy.deepcopy(model)
    for part in _parts_of(plain):
        if type(part).__module__.startswith("xgboost"):
            _forget_names(part.get_booster())
    return plain, OLDER_OPSETS


def _register(boosters):
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    converters = {
        "xgboost": ("XGBoost", "convert_xgboost"),
        "lightgbm": ("LightGbm", "convert_lightgbm"),
    }
    for part in boosters:
        package = type(part).__module__.split(".")[0]
        _need("onnxmltools", "onnxmltools")
        name, converter = converters[package]
        module = importlib.import_module(f"onnxmltools.convert.{package}.operator_converters.{name}")
        convert = getattr(module, converter)
        kind = name + type(part).__name__
        is_classifier = type(part).__name__.endswith("Classifier")
        update_registered_converter(
            type(part),
            kind,
            calculate_linear_classifier_output_shapes
            if is_classifier
            else calculate_linear_regressor_output_shapes,
            convert,
            options={"nocl": [True, False], "zipmap": [True, False, "columns"]} if is_classifier else None,
        )


# Boosters


def _export_xgboost(model, sample, options):
    onnxmltools = _need("onnxmltools", "onnxmltools")
    table = _Table(sample, options.features, model)
    plain = copy.deepcopy(model)
    booster = plain.get_booster() if hasattr(plain, "get_booster") else plain
    _forget_names(booster)
    _write_converted(onnxmltools.convert_xgboost, plain, table, options)
    if not hasattr(model, "get_booster"):
        import xgboost

        answers = np.asarray(booster.predict(xgboost.DMatrix(table.matrix())))
        return _answers_of_booster(table, answers, options)
    return _estimator(model, table, table.as_trained(), options)


def _forget_names(booster):
    """The converter needs the names f0, f1 and so on; model.json has the real ones."""
    booster.feature_names = None
    booster.feature_types = None


def _export_lightgbm(model, sample, options):
    onnxmltools = _need("onnxmltools", "onnxmltools")
    table = _Table(sample, options.features, model)
    _write_converted(onnxmltools.convert_lightgbm, model, table, options, zipmap=False)
    if not hasattr(model, "booster_"):
        return _answers_of_booster(table, np.asarray(model.predict(table.matrix())), options)
    return _estimator(model, table, table.as_trained(), options)


def _write_converted(convert, model, table, options, **more):
    from onnxmltools.convert.common.data_types import FloatTensorType

    initial_types = [("input", FloatTensorType([None, table.matrix().shape[1]]))]
    with _converting("onnxmltools", model):
        onx = convert(model, initial_types=initial_types, **more)
    options.path.write_bytes(onx.SerializeToString())


def _estimator(model, table, trained, options):
    """A scikit-learn estimator, or a booster with its interface."""
    if not hasattr(model, "classes_"):
        facts = _regression(table, model.predict(trained))
        facts.answer = model.predict
        return facts
    labels = _labels_of(model.classes_, options)
    answer = getattr(model, "predict_proba", None)
    probabilities = answer(trained) if answer else None
    facts = _classification(table, labels, model.classes_, model.predict(trained), probabilities)
    facts.answer = answer
    return facts


def _answers_of_booster(table, answers, options):
    """A plain booster gives probabilities; only its graph says whether it has classes."""
    if len(_graph_of(options.path).output) < 2:
        return _regression(table, answers)
    probabilities = np.stack([1 - answers, answers], axis=1) if answers.ndim == 1 else answers
    classes = list(range(probabilities.shape[1]))
    labels = _labels_of(classes, options)
    return _classification(table, labels, classes, probabilities.argmax(axis=1), probabilities)


def _graph_of(path):
    return _need("onnx", "onnx").load(str(path), load_external_data=False).graph


def _export_catboost(model, sample, options):
    table = _Table(sample, options.features, model)
    matrix = table.matrix()
    with _converting("CatBoost", model):
        model.save_model(str(options.path), format="onnx")
    if not hasattr(model, "predict_proba"):
        return _regression(table, model.predict(matrix))
    labels = _labels_of(model.classes_, options)
    return _classification(table, labels, model.classes_, model.predict(matrix), model.predict_proba(matrix))


# Networks


def _export_keras(model, sample, options):
    arrays = _float_arrays(sample, options)
    answers = np.asarray(model.predict(arrays, verbose=0))
    with _converting("Keras", model), _plain_normalization(model):
        model.export(str(options.path), format="onnx", verbose=False)
    graph = _graph_of(options.path)
    if len(graph.input) != len(model.inputs):
        extra = ", ".join(each.name for each in graph.input[len(model.inputs) :])
        raise ExportError(
            f"Keras turned constants into inputs ({extra}): set the environment variable KERAS_BACKEND=torch, or "
            "turn plain tensors of layers into weights."
        )
    return _network(sample, answers, options)


@contextlib.contextmanager
def _plain_normalization(model):
    """TensorFlow turns the adapted mean and variance of a Normalization layer into inputs, unless they are arrays."""
    layers = [layer for layer in _layers_of(model) if type(layer).__name__ == "Normalization"]
    layers = [layer for layer in layers if getattr(layer, "mean", None) is not None]
    is_tensorflow = importlib.import_module("keras").backend.backend() == "tensorflow"
    kept = [(layer, layer.mean, layer.variance) for layer in layers if is_tensorflow]
    for layer, mean, variance in kept:
        layer.mean, layer.variance = np.asarray(mean), np.asarray(variance)
    try:
        yield
    finally:
        for layer, mean, variance in kept:
            layer.mean, layer.variance = mean, variance


def _layers_of(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers_of(layer)


def _export_torch(model, sample, options):
    torch = importlib.import_module("torch")
    tensors = tuple(torch.as_tensor(array) for array in _float_lists(sample, options))
    was_training = model.training
    model.eval()
    with torch.no_grad():
        answers = model(*tensors)
    names = ["input"] if len(tensors) == 1 else [f"input_{index}" for index in range(len(tensors))]
    # From an example of one row, exporters make a graph for one row.
    example = tuple(torch.cat([tensor, tensor])[:2] for tensor in tensors)
    with _converting("torch.onnx", model):
        _write_torch(torch, model, example, names, options)
    model.train(was_training)
    return _network(sample, answers.numpy() if isinstance(answers, torch.Tensor) else None, options)


def _write_torch(torch, model, example, names, options):
    if options.dynamo:
        _need("onnxscript", "onnxscript")
        batch = torch.export.Dim("batch")
        more = {"dynamic_shapes": tuple({0: batch} for _ in example), "external_data": False, "verbose": False}
    else:
        more = {"dynamic_axes": {name: {0: "batch"} for name in [*names, "output"]}}
    torch.onnx.export(
        model,
        example,
        str(options.path),
        dynamo=options.dynamo,
        input_names=names,
        output_names=["output"],
        **more,
    )


def _float_lists(sample, options):
    arrays = _float_arrays(sample, options)
    return arrays if isinstance(arrays, (list, tuple)) else [arrays]


def _float_arrays(sample, options):
    """The sample as a network takes it: one array, or one for each input. Whole numbers stay whole numbers."""
    first = sample[0] if isinstance(sample, (list, tuple)) and len(sample) > 0 else sample
    if type(first).__module__.startswith("PIL."):
        raise ExportError("The sample has images of PIL; pass the prepared tensors, an array of N×3×H×W numbers.")
    if hasattr(sample, "columns"):
        return _Table(sample, options.features).matrix()
    if isinstance(sample, (list, tuple)) and all(hasattr(each, "shape") for each in sample):
        return [_as_float(each) for each in sample]
    return _as_float(sample)


def _as_float(array):
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _network(sample, answers, options):
    """A network does not say what it does: its task follows from its sample, the labels and the steps."""
    is_rows = answers is not None and answers.ndim <= 2
    if options.preprocess is not None:
        if options.labels is None:
            raise ExportError("An image classifier needs the names of its classes: labels=[...].")
        _check_labels(options.labels, answers)
        config = {"labels": list(options.labels), "preprocess": list(options.preprocess)}
        _note("images get no reference.json; compare some answers of the published model with those of the network")
        return _Facts("image-classification", **config, **_score_steps(answers))
    if not is_rows or not (hasattr(sample, "columns") or np.ndim(sample) == 2):
        if options.labels is None:
            return _Facts(None)
        if is_rows:
            _check_labels(options.labels, answers)
        _note("clients send tensors to this model; if it classifies images, also pass preprocess=[...]")
        return _Facts("tensor", labels=list(options.labels))
    table = _Table(sample, options.features)
    if options.labels is None:
        return _regression(table, answers)
    labels = list(options.labels)
    _check_labels(labels, answers)
    scores = answers.reshape(len(answers), -1)
    steps = _score_steps(scores)
    probabilities = _apply_steps(scores, steps)
    if probabilities.shape[1] == 1:
        probabilities = np.concatenate([1 - probabilities, probabilities], axis=1)
    classes = list(range(len(labels)))
    return _classification(table, labels, classes, probabilities.argmax(axis=1), probabilities, **steps)


def _check_labels(labels, answers):
    """Refuses another number of labels than of outputs; one output can be the score of the second of two classes."""
    if answers is None:
        return
    count = answers[0].size
    if count != len(labels) and (count, len(labels)) != (1, 2):
        raise ExportError(f"There are {len(labels)} labels for the {count} outputs of the network.")


def _score_steps(scores):
    """No step if all answers to the sample are probabilities, else the step that makes them."""
    scores = np.asarray(scores, dtype=float).reshape(len(scores), -1)
    is_single = scores.shape[1] == 1
    are_shares = bool(((scores >= 0) & (scores <= 1)).all()) and (
        is_single or bool(np.allclose(scores.sum(axis=1), 1, atol=1e-4))
    )
    if are_shares:
        return {}
    return {"postprocess": [{"step": "sigmoid" if is_single else "softmax"}]}


def _apply_steps(scores, steps):
    scores = scores.astype(float)
    if not steps:
        return scores
    if scores.shape[1] == 1:
        return 1 / (1 + np.exp(-scores))
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# transformers


def _export_transformers(model, sample, options):
    main_export = _need("optimum.exporters.onnx", "optimum-onnx").main_export
    network, *others = model if isinstance(model, tuple) else _parts_of_pipeline(model)
    names = getattr(network.config, "architectures", None) or [type(network).__name__]
    task = _task_of(names[0])
    with tempfile.TemporaryDirectory() as saved:
        for part in (network, *others):
            part.save_pretrained(saved)
        main_export(saved, str(options.folder), task=task, do_validation=False)
    # The files beside the graph say everything that model.json would.
    facts = _Facts(None)
    tokenizers = [part for part in others if hasattr(part, "tokenize")]
    if task == "text-classification" and tokenizers and sample is not None:
        facts.texts = [str(text) for text in list(sample)[:MOST_CASES]]
        facts.predictions, facts.probabilities, facts.config = _classify_texts(network, tokenizers[0], facts.texts)
    return facts


def _parts_of_pipeline(model):
    if not hasattr(model, "model"):
        return (model,)
    beside = (getattr(model, name, None) for name in ("tokenizer", "image_processor", "feature_extractor"))
    return (model.model, *(part for part in beside if part is not None))


def _task_of(architecture):
    if architecture.endswith("ForSequenceClassification"):
        return "text-classification"
    if architecture.endswith("ForImageClassification"):
        return "image-classification"
    return "auto"


def _classify_texts(network, tokenizer, texts):
    torch = importlib.import_module("torch")
    network.eval()
    with torch.no_grad():
        logits = [network(**tokenizer(text, return_tensors="pt", truncation=True)).logits[0] for text in texts]
    is_multi = network.config.problem_type == "multi_label_classification"
    shares = [(each.sigmoid() if is_multi else each.softmax(-1)).numpy() for each in logits]
    labels = [network.config.id2label[index] for index in range(len(shares[0]))]
    return [labels[int(each.argmax())] for each in shares], np.stack(shares), {"labels": labels}


# MLflow


def load(source):
    """Loads an MLflow URI or folder, or a file of scikit-learn, XGBoost, LightGBM, CatBoost or Keras."""
    path = Path(source)
    if source.startswith(("models:/", "runs:/")) or (path / "MLmodel").is_file():
        return _load_mlflow(source)
    if not path.is_file():
        raise ExportError(f"{source} is neither a file nor a folder with an MLmodel.")
    loaders = {
        ".json": lambda file: importlib.import_module("xgboost").Booster(model_file=file),
        ".ubj": lambda file: importlib.import_module("xgboost").Booster(model_file=file),
        ".txt": lambda file: importlib.import_module("lightgbm").Booster(model_file=file),
        ".cbm": _load_catboost,
        ".keras": lambda file: importlib.import_module("keras").saving.load_model(file),
        ".h5": lambda file: importlib.import_module("keras").saving.load_model(file),
        ".onnx": lambda file: importlib.import_module("onnx").load(file),
    }
    loader = loaders.get(path.suffix.lower())
    # Some people save a pickle under the name that the graph should get.
    if loader is None or path.read_bytes()[:1] == b"\x80":
        # A pickle can run any code, so it must be your own.
        return importlib.import_module("joblib").load(source)
    return loader(source)


def _load_catboost(source):
    catboost = importlib.import_module("catboost")
    model = catboost.CatBoost().load_model(source)
    kind = catboost.CatBoostClassifier if len(model.classes_) > 0 else catboost.CatBoostRegressor
    return kind().load_model(source)


FLAVOURS = ("onnx", "sklearn", "xgboost", "lightgbm", "catboost", "keras", "tensorflow", "pytorch", "transformers")


def _load_mlflow(uri):
    models = _need("mlflow.models", "mlflow")
    flavours = models.Model.load(uri).flavors
    for flavour in FLAVOURS:
        if flavour in flavours:
            return importlib.import_module(f"mlflow.{flavour}").load_model(uri)
    raise ExportError(f"The model has the flavours {', '.join(flavours)}; expected one of {', '.join(FLAVOURS)}.")


def _export_pyfunc(model, sample, options):
    raw = model.get_raw_model()
    return _exporter_of(raw)(raw, sample, options)


def _export_onnx(model, sample, options):
    """Copies a graph unchanged, without answers to check."""
    options.path.write_bytes(model.SerializeToString())
    return _Facts(None)


# Writing


DISTRIBUTIONS = {"sklearn": "scikit-learn", "google": "protobuf", "yaml": "pyyaml", "PIL": "pillow"}
"""Packages that pip knows by another name than Python."""


def _need(module, package):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        lacking = _lacking(error)
        # A package that is there can lack one that it imports.
        if lacking is None or lacking == module.split(".")[0]:
            lacking = package
        raise ExportError(f"This export needs {lacking}: pip install {lacking}") from error


def _lacking(error):
    """The package that is not installed, by the name that pip knows; None if the error says nothing of one."""
    name = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return DISTRIBUTIONS.get(name, name) or None


@contextlib.contextmanager
def _converting(converter, model):
    """Turns any error of a converter into an ExportError."""
    classes = getattr(model, "classes_", None)
    is_truth = classes is not None and np.asarray(classes).dtype.kind == "b"
    advice = "; its classes are True and False: train it with 0 and 1, or with texts" if is_truth else ""
    with _failing(f"{converter} cannot export this model", advice):
        yield


@contextlib.contextmanager
def _failing(what, advice=""):
    """Turns any error into an ExportError of one sentence. Its cause is a copy with a short text: converters put whole
    models into their messages, and into those of the errors before."""
    try:
        yield
    except ExportError:
        raise
    except Exception as error:
        cause = RuntimeError(f"{type(error).__name__}: {_reason(error)}").with_traceback(error.__traceback__)
        raise ExportError(f"{what}: {_reason(error)}{advice}") from cause


def _reason(error):
    unknown = re.search(r"Unable to find a (?:shape calculator|converter) for type '<class '([^']+)'", str(error))
    if unknown:
        name = unknown[1].rpartition(".")[2]
        other = "; use XGBoost, LightGBM or HistGradientBoosting in the pipeline, or export the CatBoost model alone"
        return f"it has no converter for {name}{other if name.startswith('CatBoost') else ''}"
    if _lacking(error) is not None:
        return f"{_lacking(error)} is not installed; pip install {_lacking(error)}"
    reason = str(error).strip().split("\n")[0].rstrip(" .:")
    if " " not in reason:
        reason = f"{type(error).__name__} {reason}".rstrip()
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON].rstrip()} ..."


def _check(facts):
    if facts.predictions is None:
        return
    numbers = np.asarray(facts.probabilities if facts.probabilities is not None else 0, dtype=float)
    if not np.isfinite(numbers).all():
        raise ExportError("For some rows of the sample, the model gives probabilities that are not finite numbers.")


def _find_gaps(facts, options):
    """Says for which columns missing values in the sample have no answer in the graph, and leaves out their rows."""
    table = facts.table
    if table is None or not any(table.is_missing(index).any() for index in range(table.width)):
        return
    table.refused = table.without_answer(_inputs_with_gaps(_need("onnx", "onnx").load(str(options.path))))
    names = [table.names[index] if table.names else str(index) for index in table.refused]
    if table.names is None and any(table.is_text(index) for index in table.refused):
        raise ExportError(
            f"The sample has missing texts that the graph cannot fill in (columns {', '.join(names)}): put an imputer "
            "into the pipeline, or pass the names of the columns as features=[...]."
        )
    if names:
        _note(
            f"requests must have values in these columns, which have gaps in the sample: {', '.join(names)}; "
            "a SimpleImputer in the pipeline would fill them in"
        )


PASSING = {"Identity", "Cast", "Reshape", "Flatten", "Concat", "ArrayFeatureExtractor", "FeatureVectorizer"}
"""Operators that pass the values of an input unchanged."""


def _inputs_with_gaps(model):
    """Whether the values of each input can be missing, by the rule of Ternion: every way from it ends in trees that
    were trained with missing values, in an Imputer, or in a Where that replaces empty texts."""
    takers = {}
    makers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)

    def ends_well(name):
        nodes = takers.get(name, [])
        return bool(nodes) and all(fills_in(node) and is_replaced(name, node) for node in nodes)

    def is_replaced(name, node):
        # A Where replaces the texts of its last input only.
        return node.op_type != "Where" or name not in node.input[:2]

    def fills_in(node):
        attributes = {each.name: each for each in node.attribute}
        if node.op_type == "LabelEncoder":
            return finds_empty(node)
        if node.op_type == "Where":
            test = makers.get(node.input[0])
            test = makers.get(test.input[0]) if test is not None and test.op_type == "Cast" else test
            return test is not None and finds_empty(test) and test.input[0] == node.input[2]
        if node.op_type == "Imputer":
            return "replaced_value_float" in attributes and math.isnan(attributes["replaced_value_float"].f)
        if node.op_type.startswith("TreeEnsemble"):
            tracks = attributes.get("nodes_missing_value_tracks_true")
            return model.producer_name in ("OnnxMLTools", "CatBoost") or (tracks is not None and any(tracks.ints))
        return node.op_type in PASSING and all(ends_well(name) for name in node.output)

    def finds_empty(node):
        return any(each.name == "keys_strings" and list(each.strings) == [b""] for each in node.attribute)

    return {each.name: ends_well(each.name) for each in model.graph.input}


def _write(facts, folder, description, ranges):
    if facts.task is not None:
        features = facts.table.describe(ranges) if facts.table is not None else None
        config = {
            "task": facts.task,
            **({"description": description} if description else {}),
            **({"features": features} if features else {}),
            **facts.config,
        }
        _write_json(folder / "model.json", config)
    cases = [_case(facts, index, request) for index, request in _requests(facts)]
    if cases:
        _write_json(folder / "reference.json", {"cases": cases})


def _requests(facts):
    if facts.predictions is None:
        return []
    if facts.texts is not None:
        return [(index, {"text": text}) for index, text in enumerate(facts.texts)]
    return [(index, {"features": facts.table.row(index)}) for index in facts.table.cases(facts.answer)]


def _case(facts, index, request):
    prediction = facts.predictions[index]
    expected = prediction if isinstance(prediction, dict) else {"prediction": prediction}
    if facts.probabilities is not None:
        shares = [float(share) for share in facts.probabilities[index]]
        expected["probabilities"] = dict(zip([str(label) for label in facts.config["labels"]], shares))
    return {"request": request, "expected": expected}


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Exports a saved model to a folder that ternion add publishes.")
    parser.add_argument("model", help="a file, or an MLflow URI or folder")
    parser.add_argument("sample", help="a CSV file with the columns of the training data, without the target")
    parser.add_argument("folder", help="where model.onnx, model.json and reference.json go")
    parser.add_argument("--labels", help="names of the classes, separated by commas")
    parser.add_argument("--ranges", action="store_true", help="refuse numbers far outside of those of the sample")
    parser.add_argument("--drop", help="columns of the file that the model does not use, separated by commas")
    arguments = parser.parse_args()
    try:
        with _failing(f"{arguments.sample} cannot be read"):
            sample = _need("pandas", "pandas").read_csv(arguments.sample)
            sample = sample.drop(columns=arguments.drop.split(",") if arguments.drop else [])
        labels = arguments.labels.split(",") if arguments.labels else None
        print(f"written to {export(arguments.model, sample, arguments.folder, labels=labels, ranges=arguments.ranges)}")
    except ExportError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
