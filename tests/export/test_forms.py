"""Every architecture in every form: what converts, answers as the predictor does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import untrained

from emoclf.errors import ExportError
from emoclf.export import parity
from emoclf.export.any_format import export_classifier
from emoclf.export.formats import FORMATS, architectures_table, formats_table
from emoclf.export.parity import parity_texts
from emoclf.models import ARCHITECTURES
from emoclf.serving import load_exported

# The graph that cuts texts is one for all architectures: test_saved_model.py has it.
OPTIONS: dict[str, dict[str, Any]] = {"saved-model": {"tokens": True}}
#: One branch is enough to see whether an LSTM behind a convolution converts.
SMALLER = {"cnn_lstm": {"kernel_sizes": [2]}}


#: Drawn weights decide less clearly than trained ones, so that rounding moves more.
EQUAL = 0.95


@pytest.fixture(autouse=True)
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare each export on few texts: there are forty, and each is compared here."""
    few = parity_texts()[:100]
    monkeypatch.setattr(parity, "parity_texts", lambda texts=None: few)
    monkeypatch.setattr(parity, "EQUAL", EQUAL)


def answers(
    architecture: str, folder: Path, forms: Sequence[str] = tuple(FORMATS), **flat: Any
) -> list[str]:
    """Export to these forms, compare each, and return those that there are."""
    predictor = untrained(architecture, **flat)
    texts = parity_texts()[:200]
    expected, labels = predictor.predict_proba(texts), predictor.predict(texts)
    found = []
    for form in forms:
        target = folder / form
        try:
            path = export_classifier(
                predictor, target, to=form, **OPTIONS.get(form, {})
            )
        except ExportError:
            assert form.startswith("folded")
            assert not target.exists()
            continue
        found.append(form)
        exported = load_exported(path)
        if form.endswith("int8"):
            same = np.equal(exported.predict(texts), labels)
            assert same.mean() >= EQUAL
            continue
        probabilities = exported.predict_proba(texts)
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
        assert exported.predict(texts) == labels
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_table_says_what_there_is(architecture: str, tmp_path: Path) -> None:
    found = answers(architecture, tmp_path, **SMALLER.get(architecture, {}))
    assert found == [x for x in FORMATS if architecture in FORMATS[x].architectures]


def test_dropout_between_words_does_not_stand_in_the_way(tmp_path: Path) -> None:
    forms = ["saved-model", "litert"]
    flat = {"recurrent_dropout": 0.2, "cell": "gru", "recurrent_layers": 1}
    assert answers("stacked_lstm", tmp_path, forms, **flat) == forms


def test_the_readme_has_both_tables() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert formats_table() in readme
    assert architectures_table() in readme
