"""Every architecture in every export format of the table predicts as the bundle does.

Covers __init__, formats, inference_network, onnx and litert in emoclf/export.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import untrained

from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import ExportError
from emoclf.export import export_classifier, parity
from emoclf.export.formats import (
    FORMATS,
    ExportFormat,
    architectures_table,
    formats_table,
)
from emoclf.export.parity import parity_texts
from emoclf.export.write_export import write_export
from emoclf.models import ARCHITECTURES
from emoclf.predictor import Predictor
from emoclf.serving import load_exported
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import ExportedClassifier

# All architectures share the graph that tokenizes: test_saved_model.py tests it.
OPTIONS: dict[str, dict[str, Any]] = {"saved-model": {"tokens": True}}
#: One branch is enough to see whether an LSTM behind a convolution converts.
SMALLER = {"cnn_lstm": {"kernel_sizes": [2]}}
#: Random weights decide less clearly than trained ones, so that rounding changes more.
MIN_EQUAL_LABELS = 0.95


@pytest.fixture(autouse=True)
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exports be compared on few texts, since the tests compare them again."""
    texts = parity_texts()[:100]
    monkeypatch.setattr(parity, "parity_texts", lambda: texts)
    monkeypatch.setattr(parity, "MIN_EQUAL_LABELS", MIN_EQUAL_LABELS)


def exported_formats(
    architecture: str,
    folder: Path,
    formats: Sequence[str] = tuple(FORMATS),
    **settings: Any,
) -> list[str]:
    """Export to these formats, compare each, and return those that were written."""
    predictor = untrained(architecture, **settings)
    texts = parity_texts()[:200]
    expected, labels = predictor.predict_proba(texts), predictor.predict(texts)
    written = []
    for name in formats:
        target, options = folder / name, OPTIONS.get(name, {})
        try:
            path = export_classifier(predictor, target, to=name, **options)
        except ExportError:
            assert not FORMATS[name].takes(architecture)
            assert not target.exists()
            continue
        written.append(name)
        exported = load_exported(path)
        if FORMATS[name].is_rounded:
            equal = np.equal(exported.predict(texts), labels)
            assert equal.mean() >= MIN_EQUAL_LABELS
            continue
        probabilities = exported.predict_proba(texts)
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
        assert exported.predict(texts) == labels
    return written


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_table_names_the_formats_of_an_architecture(
    architecture: str, tmp_path: Path
) -> None:
    settings = SMALLER.get(architecture, {})
    written = exported_formats(architecture, tmp_path, **settings)
    assert written == [name for name in FORMATS if FORMATS[name].takes(architecture)]


@pytest.mark.slow
def test_recurrent_dropout_can_be_exported(tmp_path: Path) -> None:
    formats = ["saved-model", "litert"]
    settings = {"recurrent_dropout": 0.2, "cell": "gru", "recurrent_layers": 1}
    assert exported_formats("stacked_lstm", tmp_path, formats, **settings) == formats


class BundleClassifier(ExportedClassifier):
    """The reader of a format whose exports contain a bundle."""

    shift = 0.0

    def __init__(self, folder: ExportFolder) -> None:
        super().__init__(folder)
        self._predictor = Predictor.load(folder.place / "bundle")

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        return self._predictor.predict_proba(texts) + self.shift


def export_with_bundle(predictor: Predictor, path: Path, *, overwrite: bool) -> Path:
    def write_files(folder: Path) -> dict[str, Any]:
        predictor.save(folder / "bundle")
        return {}

    return write_export(
        predictor,
        path,
        export_format="with-bundle",
        write_files=write_files,
        overwrite=overwrite,
    )


@pytest.mark.slow
def test_a_row_of_the_table_adds_a_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = f"{__name__}:export_with_bundle", f"{__name__}:BundleClassifier"
    row = ExportFormat(writer, reader, "TensorFlow")
    monkeypatch.setitem(FORMATS, "with-bundle", row)
    predictor = untrained("mean_embedding")
    path = export_classifier(predictor, tmp_path / "x", to="with-bundle")
    assert load_exported(path).predict(["a text"]) == predictor.predict(["a text"])
    parity_result = json.loads((path / EXPORT.about).read_text())["parity"]
    assert parity_result["float32"]["largest_difference"] == 0
    assert "| `with-bundle` | TensorFlow |" in formats_table()
    # The reader is checked against the predictor without further code.
    monkeypatch.setattr(BundleClassifier, "shift", 0.001)
    with pytest.raises(ExportError, match=r"export to with-bundle .* differ by 0\.001"):
        export_classifier(predictor, path, to="with-bundle", overwrite=True)


def test_the_readme_has_both_tables() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert formats_table() in readme
    assert architectures_table() in readme
