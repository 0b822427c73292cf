"""Exports a trained model to a folder that `ternion add` publishes: model.onnx, model.json and reference.json.

    from ternion_export import export
    export(model, sample, "exports/houses")

or on the command line, with a saved model and a table:

    python ternion_export.py forest.joblib houses.csv exports/houses

It takes scikit-learn estimators and pipelines, XGBoost, LightGBM, CatBoost, Keras and PyTorch models, transformers
models and pipelines, and the URI of an MLflow model. It is a single file for Python 3.10 and later: copy it where you
need it. It imports only the framework of the model and its exporter:

    scikit-learn  skl2onnx             Keras         what Model.export(format="onnx") asks for
    XGBoost       onnxmltools          PyTorch       onnx, onnxscript
    LightGBM      onnxmltools          transformers  optimum-onnx
    CatBoost      nothing              MLflow        mlflow, and the exporter of the flavour
"""

import argparse
import contextlib
import copy
import importlib
import json
import math
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

MOST_CASES = 10
"""How many rows of the sample become requests with their correct answers."""
FEWEST_FOR_RANGES = 20
"""A shorter sample says too little about the possible values of a column."""


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
    ranges=True,
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
    ranges       whether columns of numbers get a range that refuses values outside of it: the range of the sample, extended
                 by its width on both sides
    dynamo       for PyTorch: True uses the exporter of torch.export, False the older one of TorchScript

    Returns the path of the folder.
    """
    if isinstance(model, (str, Path)):
        model = load(str(model))
    folder = Path(folder)
    with tempfile.TemporaryDirectory() as made:
        options = _Options(Path(made), features, labels, preprocess, dynamo)
        facts = _exporter_of(model)(model, sample, options)
        _check(facts)
        _write(facts, Path(made), description, ranges)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("model.onnx", "model.onnx.data", "model.json", "reference.json"):
            (folder / name).unlink(missing_ok=True)
        shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder


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
    """The sample as named columns."""

    def __init__(self, sample, features):
        is_frame = hasattr(sample, "columns") and hasattr(sample, "iloc")
        self.frame = sample if is_frame else None
        if is_frame:
            self.names = [str(name) for name in sample.columns]
            self.columns = [sample.iloc[:, index].to_numpy() for index in range(len(self.names))]
        else:
            array = np.asarray(sample)
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
            name = next(name for index, name in enumerate(self.names or []) if self.is_text(index))
            raise ExportError(
                f"The column {name!r} has texts, with which this model cannot be exported: turn them into numbers in a "
                "scikit-learn pipeline with a ColumnTransformer, or before training."
            )
        return np.stack([column.astype(np.float32) for column in self.columns], axis=1)

    def as_trained(self, factor=1.0):
        """The sample for the original model, with its numbers rounded to float32, as the graph gets them."""
        if self.frame is None:
            if self.has_texts and self.width == 1:
                return list(self.columns[0])
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
            return {"name": name, "type": "string"}
        if not ranges or column.dtype.kind == "b" or len(column) < FEWEST_FOR_RANGES:
            return {"name": name}
        numbers = column[np.isfinite(column)].astype(float)
        if numbers.size == 0 or numbers.min() == numbers.max():
            return {"name": name}
        low, high = float(numbers.min()), float(numbers.max())
        spread = high - low
        return {"name": name, "range": [_round(low - spread), _round(high + spread)]}

    def row(self, index):
        cells = [_cell(column[index]) for column in self.columns]
        return cells if self.names is None else dict(zip(self.names, cells))

    def cases(self, answer):
        """Rows for reference.json, without those whose answer changes with the last digits: they lie on a threshold of a
        tree, where float32 and float64 differ."""
        rows = range(len(self.columns[0]))
        if answer is not None:
            answers = [np.asarray(answer(self.as_trained(factor)), dtype=float) for factor in (1, 1 - 1e-6, 1 + 1e-6)]
            wide = [each.reshape(len(rows), -1) for each in answers]
            differ = [~np.isclose(wide[0], each, rtol=1e-4, atol=1e-5).all(axis=1) for each in wide[1:]]
            rows = np.flatnonzero(~(differ[0] | differ[1])).tolist()
        if len(rows) == 0:
            return []
        return sorted({rows[round(at)] for at in np.linspace(0, len(rows) - 1, min(len(rows), MOST_CASES))})


def _round(number):
    return float(f"{number:.6g}")


def _cell(value):
    """A cell as a JSON value; numbers are those that the graph gets."""
    if value is None:
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
    table = _Table(sample, options.features)
    with _converting("skl2onnx", model):
        onx = _convert(skl2onnx.to_onnx, model, table)
    options.path.write_bytes(onx.SerializeToString())
    trained = table.as_trained() if hasattr(model, "feature_names_in_") or table.has_texts else table.matrix()
    if (is_classifier(model) and _has_one_answer(model)) or is_regressor(model):
        return _estimator(model, table, trained, options)
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

    converted, opsets = _with_boosters(model)
    if not _scales_before_trees(model):
        types = _initial_types(model, table, FloatTensorType, Int64TensorType)
        return to_onnx(converted, initial_types=types, target_opset=opsets)
    # A threshold can be a value of the sample; scaled in float32 it could be on the other side. So everything is double
    # up to the trees. Encoders of whole numbers accept only whole numbers.
    for integers in (DoubleTensorType, Int64TensorType):
        try:
            types = _initial_types(model, table, DoubleTensorType, integers)
            return _cast_before_trees(to_onnx(converted, initial_types=types, target_opset=opsets))
        except Exception:
            if integers is Int64TensorType:
                raise


def _scales_before_trees(model):
    names = [type(part).__name__ for part in _parts_of(model)]
    # The converter of isolation forests takes float32 alone.
    return "Pipeline" in names and any(re.search("(?<!Isolation)Forest|Tree|Boost|XGB", name) for name in names)


def _cast_before_trees(onx):
    """Trees compare values rounded to float32; trees with double thresholds take these values as doubles."""
    from onnx import TensorProto, helper

    nodes = list(onx.graph.node)
    for index, node in reversed(list(enumerate(nodes))):
        if node.op_type not in ("TreeEnsembleClassifier", "TreeEnsembleRegressor"):
            continue
        given, name = node.input[0], f"{node.input[0]}_{index}_float32"
        casts = [helper.make_node("Cast", [given], [name], to=TensorProto.FLOAT)]
        if any(attribute.name.endswith("_as_tensor") for attribute in node.attribute):
            casts.append(helper.make_node("Cast", [name], [f"{name}_double"], to=TensorProto.DOUBLE))
        node.input[0] = casts[-1].output[0]
        nodes[index:index] = casts
        for output in onx.graph.output:
            if output.name in node.output and node.op_type == "TreeEnsembleRegressor":
                output.type.tensor_type.elem_type = TensorProto.FLOAT
    del onx.graph.node[:]
    onx.graph.node.extend(nodes)
    return onx


def _has_one_answer(model):
    classes = getattr(model, "classes_", None)
    return isinstance(classes, np.ndarray) and classes.ndim == 1 and not getattr(model, "multilabel_", False)


def _initial_types(model, table, floats, integers):
    """One matrix, or an input per column if the model chooses columns by their names or takes texts."""
    from skl2onnx.common.data_types import StringTensorType

    if not (table.names and (table.has_texts or _chooses_columns(model))):
        kind = StringTensorType if table.has_texts else floats
        return [("input", kind([None, table.width]))]
    # Converters accept truth values only as whole numbers.
    kinds = {"b": integers, "i": integers, "u": integers, "f": floats}
    return [
        (name, kinds.get(column.dtype.kind, StringTensorType)([None, 1]))
        for name, column in zip(table.names, table.columns)
    ]


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
    table = _Table(sample, options.features)
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
    table = _Table(sample, options.features)
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
    table = _Table(sample, options.features)
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


def _need(module, package):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExportError(f"This export needs {package}: pip install {package}") from error


@contextlib.contextmanager
def _converting(converter, model):
    """Turns any error of a converter into an ExportError."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        classes = getattr(model, "classes_", None)
        is_truth = classes is not None and np.asarray(classes).dtype.kind == "b"
        advice = "; its classes are True and False: train it with 0 and 1, or with texts" if is_truth else ""
        raise ExportError(f"{converter} cannot export this model: {reason}{advice}") from error


def _check(facts):
    if facts.predictions is None:
        return
    numbers = np.asarray(facts.probabilities if facts.probabilities is not None else 0, dtype=float)
    if not np.isfinite(numbers).all():
        raise ExportError("For some rows of the sample, the model gives probabilities that are not finite numbers.")


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
    parser.add_argument("--drop", help="columns of the file that the model does not use, separated by commas")
    arguments = parser.parse_args()
    try:
        sample = _need("pandas", "pandas").read_csv(arguments.sample)
        sample = sample.drop(columns=arguments.drop.split(",") if arguments.drop else [])
        labels = arguments.labels.split(",") if arguments.labels else None
        print(f"written to {export(arguments.model, sample, arguments.folder, labels=labels)}")
    except ExportError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
