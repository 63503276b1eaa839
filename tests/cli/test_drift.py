"""``emoclf drift``: exit codes and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import tiny_dataset, tiny_trained

from emoclf.cli import main

pytestmark = pytest.mark.slow


def test_exit_codes_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(tiny_trained().predictor.save(tmp_path / "tiny.emoclf"))
    same = tmp_path / "same.txt"
    same.write_text("\n".join(tiny_dataset().texts))
    assert main(["drift", bundle, str(same)]) == 0
    assert "look like the training texts" in capsys.readouterr().out
    other = tmp_path / "other.csv"
    other.write_text("text\n" + "completely different vocabulary everywhere\n" * 200)
    assert main(["drift", bundle, str(other), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["texts"] == 200
    assert main(["drift", bundle, str(tmp_path / "none.csv")]) == 1
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    assert main(["drift", bundle, str(empty)]) == 1
    assert "no texts" in capsys.readouterr().err
