"""``emoclf export``: every form by one command, and what is wrong on one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny_trained

from emoclf.cli import main
from emoclf.errors import ExportError
from emoclf.export import export_classifier
from emoclf.serving import load_exported


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: Any) -> Path:
    place = tmp_path_factory.mktemp("a bundle") / "tiny.emoclf"
    return tiny_trained().predictor.save(place)


@pytest.mark.parametrize("form", ["saved-model", "folded", "folded-int8"])
def test_one_command(
    form: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "an export"
    command = ["export", str(bundle), "--to", form, "-o", str(target)]
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["format"] == form
    assert answer["bytes"] > 1000
    assert answer["parity"]["float32"]["equal_labels"] >= 0.99
    expected = tiny_trained().predictor.predict(["it was lovely at home"])
    assert load_exported(answer["path"]).predict(["it was lovely at home"]) == expected
    # A second time nothing is replaced unasked.
    assert main(command) == 1
    assert "or replace it with --force" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Exported: ")
    assert "of the labels are equal" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--to", "folded", "--top", "2"], "--top is of a SavedModel. Use it with"),
        (["--to", "folded", "--tokens"], "--tokens is of a SavedModel"),
        (["--to", "saved-model", "--version", "0"], "from 1 on. Got 0"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str],
    said: str,
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "export"
    assert main(["export", str(bundle), *options, "-o", str(target)]) == 1
    assert said in capsys.readouterr().err
    assert not target.exists()


def test_an_unknown_form(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match=r"no export format 'onx'. Did you mean 'onnx'\?"
    ):
        export_classifier(tiny_trained().predictor, tmp_path / "x", to="onx")
