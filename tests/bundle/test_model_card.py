"""The model card of bundles and exports, in the form of model hubs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny import tiny_settings, tiny_split, tiny_trained

from emoclf import Predictor, evaluate_classifier, export_classifier, load_exported
from emoclf.bundle.bundle_folder import save_bundle

pytestmark = pytest.mark.slow


def parts(folder: Path) -> tuple[Any, str]:
    """Return the head as plain values, and the text below it."""
    _, head, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(head), text


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    split = tiny_split()
    trained = tiny_trained()
    trained = trained.with_metrics(split, evaluate_classifier(trained, split))
    settings = tiny_settings(language="en", license="cc0-1.0")
    changed = replace(trained.bundle, settings=settings)
    return save_bundle(changed, tmp_path_factory.mktemp("card") / "m")


def test_the_head_is_what_model_hubs_read(bundle: Path) -> None:
    head, text = parts(bundle)
    assert head["library_name"] == "emoclf"
    assert head["pipeline_tag"] == "text-classification"
    assert (head["language"], head["license"]) == ("en", "cc0-1.0")
    assert head["labels"] == ["anger", "fear", "joy"]
    (result,) = head["model-index"][0]["results"]
    report = evaluate_classifier(tiny_trained(), tiny_split())
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values["accuracy"] == pytest.approx(report.network.accuracy, abs=1e-4)
    assert values["f1"] == pytest.approx(report.network.macro_f1, abs=1e-4)
    assert result["dataset"]["split"] == "test"
    for heading in ("Intended use", "Metrics", "Data"):
        assert f"## {heading}" in text
    assert text.count("\n| ") == 4
    assert "Licen" in text


def test_what_it_says_of_loading_is_true(bundle: Path, tmp_path: Path) -> None:
    _, text = parts(bundle)
    code = text.split("```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {}
    code = code.replace("path/of/this/folder", str(bundle))
    exec(code.replace("emoclf.Pred", "found = emoclf.Pred"), scope)
    assert scope["found"] == Predictor.load(bundle).predict(["a text"])
    export = tmp_path / "e"
    export_classifier(Predictor.load(bundle), export, to="folded")
    head, text = parts(export)
    assert head == parts(bundle)[0]
    assert 'emoclf.load_exported("path/of/this/folder")' in text
    assert load_exported(export).label_names == ("anger", "fear", "joy")


def test_names_from_data_do_not_change_the_card(tmp_path: Path) -> None:
    hostile = "| x | <script>alert(1)</script> \U0001f600"
    evil = ("---\nlicense: mit", '"joy": [', hostile)
    changed = replace(tiny_trained().bundle, label_names=evil)
    head, text = parts(save_bundle(changed, tmp_path / "m"))
    assert head["labels"] == list(evil)
    assert "license" not in head
    assert "<script>" not in text.replace("\\<", "")
