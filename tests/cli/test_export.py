"""``emoclf export``: every format by one command, and errors on one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny_folded, tiny_trained

from emoclf.cli import main
from emoclf.errors import ExportError
from emoclf.export import export_classifier
from emoclf.serving import load_exported


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("a bundle") / "tiny.emoclf"
    return tiny_trained().predictor.save(path)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["saved-model", "folded", "folded-int8"])
def test_one_command(
    format: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "an export"
    command = ["export", str(bundle), "--to", format, "-o", str(target)]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["format"] == format
    assert result["bytes"] > 1000
    assert result["parity"]["float32"]["equal_labels"] >= 0.99
    expected = tiny_trained().predictor.predict(["it was lovely at home"])
    assert load_exported(result["path"]).predict(["it was lovely at home"]) == expected
    # A second time nothing is replaced unasked.
    assert main(command) == 1
    assert "or replace it with --overwrite" in capsys.readouterr().err


@pytest.mark.slow
def test_an_export_is_replaced_on_request(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tiny_folded(tmp_path)
    command = ["export", str(bundle), "--to", "folded", "-o", str(target)]
    assert main([*command, "--force"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("Exported: ")
    assert "of the labels are equal" in output


@pytest.mark.parametrize(
    ("options", "output"),
    [
        (
            ["--to", "folded", "--top", "2"],
            "--top is an option of --to saved-model. Got folded.",
        ),
        (["--to", "folded", "--tokens"], "--tokens is an option of --to saved-model"),
        (["--to", "saved-model", "--version", "0"], "from 1 on. Got 0"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str],
    output: str,
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "export"
    assert main(["export", str(bundle), *options, "-o", str(target)]) == 1
    assert output in capsys.readouterr().err
    assert not target.exists()


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match=r"no export format 'onx'. Did you mean 'onnx'\?"
    ):
        export_classifier(tiny_trained().predictor, tmp_path / "x", to="onx")
