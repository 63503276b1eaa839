"""Exported aspect models answer as their folder does.

Covers emoclf/aspects/exports/aspect_export.py, aspect_parity.py, aspect_signatures.py,
polarity_graph.py, aspect_onnx.py, exported_aspects.py and emoclf/cli/aspects_export.py.
"""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny_aspects import (
    fitted_tagger,
    polarity_with_vectors,
    tiny_aspects,
    tiny_polarity,
    tiny_tagger,
)

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.data.aspect_formats import write_aspects
from emoclf.aspects.exports import aspect_onnx, aspect_parity, exported_aspects
from emoclf.aspects.exports.aspect_export import export_aspects
from emoclf.aspects.exports.aspect_export_formats import ASPECT_EXPORTS
from emoclf.aspects.exports.aspect_parity import check_aspect_parity
from emoclf.aspects.exports.exported_aspects import (
    ExportedAspects,
    load_aspect_predictor,
    load_exported_aspects,
)
from emoclf.aspects.opinions import AspectPredictor, Opinion
from emoclf.aspects.polarities.place_scores import PLACE_SCORES
from emoclf.aspects.polarities.polarity_targets import labelled_targets
from emoclf.bundle.described_folder import EXPORT
from emoclf.bundle.json_values import with_checksum
from emoclf.cli import main
from emoclf.errors import (
    BundleError,
    DataError,
    ExportError,
    ModelError,
    SettingsError,
)
from emoclf.export.parity import parity_texts
from emoclf.serving import load_exported
from emoclf.serving.export_folder import file_crc32

#: They share a model, whose training takes some seconds.
pytestmark = pytest.mark.slow

FORMATS = sorted(ASPECT_EXPORTS)
TEXTS = [
    "the screen is great",
    "",
    "👩‍👩‍👧‍👦 the onion soup 👍🏽 is awful, I found the hard disk great, really",
    "nothing",
    " \t\n",
    "cafe\u0301: the Waiter is lovely",
    "bill: awful !",
    "well, 我 screen lovely" + " and so on" * 200,
    *(f"the {'x' * n}bill is broken" for n in (0, 3, 40)),
]
TARGET = (TEXTS[0], 4, 10)
FEW = parity_texts()[:60]


TWO, CNN, ALONE = "two members, BIOES", "typed CNN", "no CRF, no characters"
VARIANTS: dict[str, dict[str, Any]] = {
    # Converting a BiLSTM takes ten seconds.
    TWO: {"members": 2, "scheme": "BIOES", "network": "cnn"},
    CNN: {"typed": True, "network": "cnn"},
    ALONE: {"crf": False, "characters": False},
}


@cache
def exported_model(variant: str = "") -> AspectModel:
    """Return a fitted model, which must not be changed.

    The polarities of most exports have a linear part, those of two members have none,
    and the other variants are taggers alone.
    """
    X, y = labelled_targets(tiny_aspects())
    if not variant:
        return AspectModel(fitted_tagger(), polarity_with_vectors().fit(X, y))
    tagger = tiny_tagger(**VARIANTS[variant]).fit(tiny_aspects())
    if variant == TWO:
        return AspectModel(tagger, tiny_polarity(epochs=2).fit(X, y))
    return AspectModel(tagger)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function from an export format to an export, which must not change."""
    folder = tmp_path_factory.mktemp("aspect exports")

    @cache
    def export(to: str, variant: str = "") -> Path:
        with pytest.MonkeyPatch.context() as patch:
            # This SavedModel and the export of the command are checked on all texts.
            few = parity_texts() if (to, variant) == ("saved-model", "") else FEW
            patch.setattr(aspect_parity, "parity_texts", lambda: few)
            path = folder / f"{to}, {variant}"
            return export_aspects(exported_model(variant), path, to=to)

    return export


@pytest.fixture(scope="module")
def loaded(exported: Callable[..., Path]) -> Callable[..., Any]:
    """Return a function from an export format to a loaded export."""
    return cache(lambda *of: load_exported_aspects(exported(*of)))


def about_of(path: Path) -> dict[str, Any]:
    return json.loads((path / EXPORT.about).read_text("utf-8"))


def assert_equal(
    found: list[list[Opinion]], expected: list[list[Opinion]], atol: float = 1e-5
) -> None:
    assert [[x[:4] for x in row] for row in found] == [
        [x[:4] for x in row] for row in expected
    ]
    for index in (4, 5):
        numbers = [
            [np.nan if x[index] is None else x[index] for row in rows for x in row]
            for rows in (found, expected)
        ]
        np.testing.assert_allclose(*numbers, atol=atol)


@pytest.mark.parametrize("to", FORMATS)
def test_it_answers_as_the_folder(
    exported: Callable[..., Path], loaded: Callable[..., Any], to: str
) -> None:
    model = loaded(to)
    expected = exported_model().predict(TEXTS)
    assert sum(map(len, expected)) >= 6
    assert_equal(model.predict(TEXTS), expected)
    for text, row in zip(TEXTS, expected, strict=True):
        assert_equal(model.predict([text]), [row])
    assert model.predict([]) == []
    assert model.predict(["", " "]) == [[], []]
    with pytest.raises(DataError, match="The text at index 0 must be a str"):
        model.predict([1])  # type: ignore[list-item]
    parity = about_of(exported(to))["parity"]["float32"]
    assert 0 <= parity["largest_difference"] <= parity["bound"]
    assert parity["n_terms"] > 5


def test_the_linear_part_of_polarities_is_exported(loaded: Callable[..., Any]) -> None:
    fitted = exported_model()
    classifier = pickle.loads(pickle.dumps(fitted.polarity))
    changed = AspectModel(fitted.tagger, classifier)
    expected = changed.predict(TEXTS)
    for network in classifier.model_.networks:
        network.get_layer(PLACE_SCORES).share.assign(1.0)
    for found in [loaded(to).predict(TEXTS) for to in FORMATS]:
        assert_equal(found, expected)
        with pytest.raises(AssertionError):
            assert_equal(found, changed.predict(TEXTS))


@pytest.mark.parametrize("to", FORMATS)
def test_it_is_evaluated_as_the_folder(loaded: Callable[..., Any], to: str) -> None:
    data = tiny_aspects()
    model = loaded(to)
    folder = exported_model()
    scores, expected = model.evaluate(data), folder.evaluate(data)
    assert scores["terms"].to_dict() == expected["terms"].to_dict()
    assert scores["both"].to_dict() == expected["both"].to_dict()
    assert scores["polarity"] == expected["polarity"]
    rows = [[(x.start, x.stop) for x in row] for row in model.find_terms(data.texts)]
    assert rows == [[x[:2] for x in row] for row in folder.find_terms(data.texts)]
    assert model.summary(data.texts).rows() == folder.summary(data.texts).rows()


LOADER = """
import sys, json
sys.modules["emoclf"] = None
import tensorflow as tf
texts = json.loads(sys.argv[2])
loaded = tf.saved_model.load(sys.argv[1])
outputs = loaded.signatures["serving_default"](text=tf.constant(texts))
rows = {name: value.numpy().tolist() for name, value in outputs.items()}
given = loaded.signatures["polarity"](
    text=tf.constant(texts[:2]), start=tf.constant([4, 0]), stop=tf.constant([10, 0]))
names = [x.decode() for x in given["labels"].numpy()]
assert "keras" not in sys.modules or not hasattr(sys.modules["keras"], "emoclf")
print(json.dumps({
    "names": names,
    "given": given["probabilities"].numpy().tolist(),
    "label": given["polarity"].numpy()[0].decode(),
    "rows": {name: [[x.decode() if isinstance(x, bytes) else x for x in row]
                    if isinstance(row, list) else row for row in values]
             for name, values in rows.items()},
}))
"""


def test_tensorflow_alone_runs_the_saved_model(
    exported: Callable[..., Path],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(exported("saved-model")), json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    rows = answer["rows"]
    expected = exported_model().predict(TEXTS)
    assert rows["count"] == [len(row) for row in expected]
    padded = {name: values for name, values in rows.items() if name != "count"}
    for number, (text, row) in enumerate(zip(TEXTS, expected, strict=True)):
        for place, opinion in enumerate(row):
            found = {name: x[number][place] for name, x in padded.items()}
            assert found["term"] == opinion.term
            assert text[found["start"] : found["stop"]] == opinion.term
            within = text.encode()[found["start_byte"] : found["stop_byte"]]
            assert within.decode() == opinion.term
            assert found["polarity"] == opinion.polarity
            assert found["confidence"] == pytest.approx(opinion.confidence, abs=1e-5)
            share = found["polarity_confidence"]
            assert share == pytest.approx(opinion.polarity_confidence, abs=1e-5)
    assert answer["names"] == list(exported_model().polarity_names)
    assert answer["label"] == "positive"
    targets = [(TEXTS[0], 4, 10)]
    assert exported_model().polarity is not None
    wanted = exported_model().polarity.predict_proba(targets)
    np.testing.assert_allclose(answer["given"][:1], wanted, atol=1e-5)


ONNX_LOADER = """
import sys, json
from emoclf import load_exported_aspects
model = load_exported_aspects(sys.argv[1], threads=1)
print(json.dumps(model.predict(json.loads(sys.argv[2]))))
heavy = {"tensorflow", "keras", "sklearn", "scipy", "pandas"} & {*sys.modules}
assert not heavy, heavy
"""


def test_onnx_needs_no_tensorflow(exported: Callable[..., Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONNX_LOADER, str(exported("onnx")), json.dumps(TEXTS)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [[Opinion(*x) for x in row] for row in json.loads(done.stdout)]
    assert_equal(found, exported_model().predict(TEXTS))


def test_the_file_of_onnx_returns_tags_and_confidences(
    exported: Callable[..., Path],
) -> None:
    import onnxruntime

    tagger = exported_model().tagger.model_
    text = "well, the onion soup is awful"
    (item,) = tagger.encoder.encode([text])
    session = onnxruntime.InferenceSession(exported("onnx") / "model.onnx")
    shapes = {x.name: x.shape for x in session.get_inputs()}
    assert shapes == {
        "token_ids": ["batch", "length"],
        "characters": ["batch", "length", 16],
    }
    for padding in (0, 5):
        inputs = {
            "token_ids": np.pad(item.token_ids, (0, padding))[None],
            "characters": np.pad(item.characters, ((0, padding), (0, 0)))[None],
        }
        tags, confidence = session.run(["tags", "confidence"], inputs)
        names = [about_of(exported("onnx"))["tags"][i] for i in tags[0]]
        n_tokens = len(item.spans)
        assert names[:n_tokens] == ["O", "O", "O", "B", "I", "O", "O"]
        assert names[n_tokens:] == ["O"] * padding
        (wanted,) = exported_model().predict([text])[0]
        assert np.flatnonzero(confidence[0]).tolist() == [3]
        assert confidence[0, 3] == pytest.approx(wanted.confidence, abs=1e-5)


#: The command exports the CNN to ONNX.
OTHERS = [pair for pair in product(FORMATS, VARIANTS) if pair != ("onnx", CNN)]


@pytest.mark.parametrize(("to", "variant"), OTHERS)
def test_other_settings(loaded: Callable[..., Any], to: str, variant: str) -> None:
    assert_as_the_folder(loaded(to, variant), exported_model(variant))


def assert_as_the_folder(export: Any, model: AspectModel) -> None:
    expected = model.predict(TEXTS)
    assert sum(map(len, expected)) >= 6
    assert_equal(export.predict(TEXTS), expected)
    if model.typed:
        assert {x.polarity for row in expected for x in row} >= {"negative"}


def test_the_layout_of_a_saved_model_is_that_of_tensorflow_serving(
    exported: Callable[..., Path], loaded: Callable[..., Any]
) -> None:
    path = exported("saved-model")
    assert path.name == "1"
    assert (path / "saved_model.pb").is_file()
    model: Any = load_exported_aspects(path.parent)
    assert type(model) is type(loaded("saved-model"))
    signature = model._model.signatures["serving_default"]
    one = signature(text=tf.constant(["\ufeffa the screen is great"]))
    assert {name: x.shape[0] for name, x in one.items()} == dict.fromkeys(one, 1)
    # Bytes that are not UTF-8 keep the offsets of the others.
    broken = signature(text=tf.constant([b"\xff\xfe the screen is great"]))
    first = {name: value.numpy()[0] for name, value in broken.items()}
    assert first["term"].tolist() == [b"screen"]
    assert first["start_byte"].tolist() == [7]


@pytest.mark.parametrize("to", FORMATS)
def test_damage_is_an_error(
    exported: Callable[..., Path], to: str, tmp_path: Path
) -> None:
    path = tmp_path / "copy"
    shutil.copytree(exported(to), path)
    for name in about_of(path)["files"]:
        content = (path / name).read_bytes()
        (path / name).write_bytes(content[:-3] + b"\x01\x02\x03")
        with pytest.raises(BundleError, match="is damaged"):
            load_exported_aspects(path)
        (path / name).unlink()
        with pytest.raises(BundleError, match="is incomplete"):
            load_exported_aspects(path)
        (path / name).write_bytes(content)
    (path / EXPORT.about).write_text("{}")
    with pytest.raises(BundleError, match="damaged"):
        load_exported_aspects(path)
    (path / EXPORT.about).unlink()
    with pytest.raises(BundleError, match=r"it has no emoclf.json"):
        load_exported_aspects(path)


HOSTILE: dict[str, tuple[str, Any, str]] = {
    "newer": ("format", 99, "format 99; emoclf .* reads up to 1"),
    "unknown": ("form", "tables", "an export to 'tables', which this emoclf cannot"),
    "tags": ("tags", ["B", "O"], "there is no tagger with the tags"),
    "few tags": ("tags", ["O", "B"], "there is no tagger with the tags"),
    "names": ("polarity_names", [1], "polarity_names must be a list of texts"),
    "polarity": ("polarity", None, "'polarity' must be an object"),
    "text": ("text", {"tokenizer": {"kind": "spacy"}}, "kind"),
    "alphabet": ("alphabet", "ab", "alphabet must be a list of texts"),
    "classifier": ("kind", "export", "load_exported loads it; 'emoclf predict'"),
    "characters": ("characters", False, "it takes characters, token_ids and returns"),
    "kind": ("kind", ["x"], "its kind is"),
    "one polarity": ("polarity_names", ["a"], r"shape \(\d, 2\), not \(\d, 1\)"),
    "polarities": ("polarity_names", ["a", "b", "c"], r"2\), not \(\d, 3\)"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_crafted_values_are_checked(
    exported: Callable[..., Path], name: str, tmp_path: Path
) -> None:
    key, value, message = HOSTILE[name]
    path = crafted(exported("onnx"), tmp_path / "copy", **{key: value})
    with pytest.raises(BundleError, match=message):
        load_exported_aspects(path).predict(TEXTS)


def crafted(source: Path, path: Path, **values: Any) -> Path:
    """Return a copy of an export with other values in its description."""
    shutil.copytree(source, path)
    about = {**about_of(path), **values}
    (path / EXPORT.about).write_text(json.dumps(with_checksum(about)))
    return path


def test_a_kind_that_is_no_text_is_an_error_for_a_model_too(
    exported: Callable[..., Path], tmp_path: Path
) -> None:
    path = crafted(exported("onnx"), tmp_path / "copy", kind=["x"])
    with pytest.raises(BundleError, match="not an aspect model"):
        AspectModel.load(path)


def test_a_saved_model_of_other_outputs_is_damaged(
    exported: Callable[..., Path], tmp_path: Path
) -> None:
    source, names = exported("saved-model"), ["a", "b", "c"]
    model = load_exported_aspects(crafted(source, tmp_path / "1", polarity_names=names))
    with pytest.raises(BundleError, match=r"shape \(1, 2\), not \(1, 3\)"):
        model.predict_polarity([TARGET])
    source = exported("saved-model", ALONE)
    path = crafted(source, tmp_path / "2", polarity_names=names)
    with pytest.raises(BundleError, match="no signature 'polarity' that returns"):
        load_exported_aspects(path)


@pytest.mark.parametrize("name", ["tags", "confidence"])
def test_an_output_of_another_shape_is_damage(
    exported: Callable[..., Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = load_exported_aspects(exported("onnx"))
    session = model._session

    class Cut:
        def run(self, names: list[str], inputs: Any) -> list[np.ndarray]:
            found = session.run(names, inputs)
            return [
                x[:, 1:] if y == name else x for y, x in zip(names, found, strict=True)
            ]

    monkeypatch.setattr(model, "_session", Cut())
    with pytest.raises(BundleError, match=rf"returns {name} of the shape \(1, 3\)"):
        model.predict(TEXTS[:1])


def test_every_model_takes_and_refuses_the_same_targets(
    loaded: Callable[..., Any],
) -> None:
    models = [exported_model(), *map(loaded, FORMATS)]
    for model in models:
        found = model.predict_polarity([TARGET, list(TARGET)])
        assert found.argmax(1).tolist() == [1, 1]
        np.testing.assert_allclose(
            found, models[0].predict_polarity([TARGET] * 2), atol=1e-5
        )
        assert model.predict_polarity([]).shape == (0, 2)
        for start, stop in ((6, 50), (-6, -2)):
            with pytest.raises(DataError, match="Target number 0"):
                model.predict_polarity([(TEXTS[0], start, stop)])
    for model in (exported_model(ALONE), *(loaded(to, ALONE) for to in FORMATS)):
        with pytest.raises(ModelError, match="This model has no polarity classifier"):
            model.predict_polarity([TARGET])


def test_crafted_files_are_checked(
    exported: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "copy"
    shutil.copytree(exported("onnx"), path)
    for name, content in {
        "terms.json": b'{"a": 1}',
        "vocabulary.json": b"[1]",
        "model.onnx": b"nothing",
        "polarity/model.onnx": (path / "model.onnx").read_bytes(),
    }.items():
        before = (path / name).read_bytes()
        (path / name).write_bytes(content)
        about = about_of(path)
        about["files"][name] = [len(content), file_crc32(path / name)]
        (path / EXPORT.about).write_text(json.dumps(with_checksum(about)))
        with pytest.raises(BundleError, match="damaged"):
            load_exported_aspects(path).predict(TEXTS)
        (path / name).write_bytes(before)


def test_the_wrong_loader_names_the_right_one(
    exported: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match=r"an export, which has none\. Leave it out"):
        load_aspect_predictor(exported("onnx"), encoder="there")
    with pytest.raises(BundleError, match="load_exported_aspects loads it"):
        load_exported(exported("onnx"))
    with pytest.raises(BundleError, match=r"export of an aspect model, not an aspect"):
        AspectModel.load(exported("saved-model"))
    with pytest.raises(SettingsError, match="saved-model has no option 'threads'"):
        load_exported_aspects(exported("saved-model"), threads=1)
    with pytest.raises(SettingsError, match="threads must be a whole number"):
        load_exported_aspects(exported("onnx"), threads=0)
    with pytest.raises(BundleError, match="does not exist"):
        load_exported_aspects(tmp_path / "none")


@cache
def opinions_of(texts: tuple[str, ...]) -> list[list[Opinion]]:
    return exported_model().predict(texts)


class Changed(AspectPredictor):
    """A model whose opinions are changed."""

    def __init__(self, change: Callable[[Opinion], Opinion]) -> None:
        self.change = change

    typed = property(lambda self: exported_model().typed)  # type: ignore[assignment]
    training_terms = property(  # type: ignore[assignment]
        lambda self: exported_model().training_terms
    )
    polarity_names = property(  # type: ignore[assignment]
        lambda self: exported_model().polarity_names
    )

    def find_terms(self, texts: list[str]) -> Any:
        return exported_model().find_terms(texts)

    def _predict_polarity(self, targets: Sequence[Any]) -> np.ndarray:
        return exported_model().predict_polarity(targets)

    def predict(self, texts: Any) -> list[list[Opinion]]:
        return [[*map(self.change, row)] for row in opinions_of(tuple(texts))]


CHANGES: dict[str, Callable[[Opinion], Opinion]] = {
    "offsets": lambda x: x._replace(start=x.start + 1),
    "terms": lambda x: x._replace(term=x.term + "!"),
    "polarities": lambda x: x._replace(polarity=f"not {x.polarity}"),
    "confidences": lambda x: x._replace(confidence=x.confidence + 2e-5),
    "no number": lambda x: x._replace(confidence=float("nan")),
    "no share": lambda x: x._replace(polarity_confidence=None),
}


def test_parity_is_refused_where_anything_differs() -> None:
    same = Changed(lambda x: x)
    found = check_aspect_parity(exported_model(), same, name="export")
    assert found["largest_difference"] == 0
    for change in CHANGES.values():
        with pytest.raises(ExportError, match="and the model differ on the text"):
            check_aspect_parity(same, Changed(change), name="export")


def test_an_export_that_differs_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aspect_onnx, "write_onnx", lambda model, folder: {})
    changed = Changed(CHANGES["offsets"])
    monkeypatch.setattr(exported_aspects, "OnnxAspects", lambda folder: changed)
    with pytest.raises(ExportError, match="differ on the text"):
        export_aspects(exported_model(), tmp_path / "export", to="onnx")
    assert not list(tmp_path.iterdir())


def test_wrong_requests_are_refused_before_any_work(tmp_path: Path) -> None:
    # The model does not exist, and is not looked for.
    no_model = tmp_path / "none.aspects"
    target = tmp_path / "export"
    with pytest.raises(ExportError, match=r"no export format 'onx'.*'onnx'"):
        export_aspects(no_model, target, to="onx")
    with pytest.raises(ExportError, match="Only a SavedModel has versions"):
        export_aspects(no_model, target, to="onnx", version=2)
    with pytest.raises(ExportError, match="version must be a whole number from 1 on"):
        export_aspects(no_model, target, to="saved-model", version=0)
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="is left alone"):
        export_aspects(no_model, target, to="onnx", overwrite=True)
    with pytest.raises(BundleError, match="does not exist"):
        export_aspects(no_model, tmp_path / "new", to="onnx")


@pytest.mark.parametrize("to", FORMATS)
def test_the_commands_take_an_export(
    exported: Callable[..., Path],
    to: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "reviews.txt"
    source.write_text("the screen is great\nnothing\nthe bill is awful\n")
    assert main(["aspects", "predict", str(exported(to)), str(source), "--json"]) == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [row["terms"] for row in rows] == [["screen"], [], ["bill"]]
    assert rows[0]["spans"] == [[4, 10, "positive"]]
    data = write_aspects(tiny_aspects(), tmp_path / "terms.jsonl")
    assert main(["aspects", "evaluate", str(exported(to)), str(data)]) == 0
    assert "polarity of 80 true terms: accuracy" in capsys.readouterr().out
    assert main(["predict", str(exported(to)), str(source)]) == 1
    assert "'emoclf aspects predict'" in capsys.readouterr().err


def test_the_command_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = exported_model(CNN)
    folder = model.save(tmp_path / "tiny.aspects")
    target = tmp_path / "export"
    argv = ["aspects", "export", str(folder), "--to", "onnx", "-o", str(target)]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert f"Exported: {target} (" in out
    assert "Checked against the model on 1,1" in out
    assert "terms are equal, confidences differ by at most" in out
    assert main(argv) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*argv, "--version", "2"]) == 1
    assert "Only a SavedModel has versions" in capsys.readouterr().err
    export = load_exported_aspects(target)
    assert isinstance(export, ExportedAspects)
    assert_as_the_folder(export, model)
