"""A cross-validation continues after its finished folds, also after it was killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import tiny_dataset, tiny_settings
from tiny_search import write_corpus
from warm_process import WarmProcess, run

from emoclf import DataError, ResumeError, cross_validate
from emoclf.cli import main
from emoclf.workflow import cross_validation

pytestmark = pytest.mark.slow

OPTIONS = (
    "--folds=3 --filters=4 --kernel-sizes=1,2 --dim=8 --no-ngrams --epochs=3 "
    "--batch-size=8 --near-duplicates=1 --json"
).split()


def test_a_killed_run_continues_and_has_the_same_result(tmp_path: Path) -> None:
    command = ("-m", "emoclf", "crossval", write_corpus(tmp_path / "d.csv"), *OPTIONS)
    undisturbed = run(*command)
    assert undisturbed.returncode == 0, undisturbed.stderr
    folder = tmp_path / "folds"
    process = WarmProcess(*command, "-o", folder)
    end = time.monotonic() + 240
    while not (folder / "fold-1.npz").exists() and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert process.returncode == -9
    done = sorted(folder.glob("fold-*.npz"))
    assert 1 <= len(done) < 3
    before = {path: path.read_bytes() for path in done}
    again = run(*command, "-o", folder)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == json.loads(undisturbed.stdout)
    assert {path: path.read_bytes() for path in done} == before
    assert "Fold 1 of 3" not in again.stderr
    assert "Fold 3 of 3" in again.stderr
    # The file of a fold that was being written is gone.
    names = {path.name for path in folder.iterdir()}
    assert names == {"run.json", "fold-1.npz", "fold-2.npz", "fold-3.npz"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "folds"
    cross_validate(tiny_dataset(), tiny_settings(epochs=1), folds=2, folder=folder)
    return folder


def again(folder: Path, **options: Any) -> Any:
    settings = tiny_settings(epochs=options.pop("epochs", 1))
    data = options.pop("data", tiny_dataset())
    return cross_validate(data, settings, **{"folds": 2, "folder": folder, **options})


def test_a_finished_one_trains_nothing(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_validation, "train_classifier", lambda *_, **__: 1 / 0)
    result = again(finished)
    assert result.pooled.n == 60
    assert result.train_ratio == pytest.approx(24 / 30)
    assert len(result.lines()) > 10
    # Only the arrays of predictions are there, no texts.
    with np.load(finished / "fold-1.npz") as arrays:
        assert set(arrays.files) == {"about", "probabilities", "thresholds"}
        assert b"it was" not in arrays["about"].tobytes()
    assert "it was" not in (finished / "run.json").read_text()


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"epochs": 2}, "epochs was 1 and is now 2"),
        ({"folds": 3}, "folds was 2 and is now 3"),
        ({"refit": True}, "refit was False and is now True"),
        ({"data": tiny_dataset()[1:]}, "all texts differ"),
    ],
)
def test_another_run_is_refused(
    finished: Path, options: dict[str, Any], difference: str
) -> None:
    with pytest.raises(ResumeError, match=f"{difference}.*or another folder"):
        again(finished, **options)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b""),
        lambda path: np.savez(path, about=np.zeros(3, np.uint8)),
        lambda path: path.write_bytes((path.parent / "fold-9.npz").read_bytes()),
    ],
)
def test_a_damaged_fold_is_named(
    finished: Path, tmp_path: Path, damage: Callable[[Path], Any]
) -> None:
    folder = tmp_path / "folds"
    folder.mkdir()
    for path in finished.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    with np.load(folder / "fold-1.npz") as arrays:
        short = {**arrays, "probabilities": arrays["probabilities"][:-1]}
    np.savez(folder / "fold-9.npz", **short)
    damage(folder / "fold-1.npz")
    with pytest.raises(ResumeError, match=r"fold-1.npz is damaged: .*is repeated"):
        again(folder)


def test_other_folders_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ResumeError, match="not a folder of a cross-validation"):
        again(tmp_path)
    with pytest.raises(DataError, match=r"mine.txt: .* Name another folder"):
        again(tmp_path / "mine.txt")
    corpus = str(write_corpus(tmp_path / "d.csv"))
    assert main(["crossval", corpus, "-o", str(tmp_path), *OPTIONS]) == 1
    assert "Choose another one" in capsys.readouterr().err
