"""``emoclf show``: bundles, exports and searches, without TensorFlow.

Covers emoclf/bundle/summary.py too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny_folded, tiny_split, tiny_trained

from emoclf.bundle.json_values import with_checksum
from emoclf.cli import main
from emoclf.evaluation.evaluate import evaluate_classifier
from emoclf.export.folded import export_folded
from emoclf.predictor import Predictor

OLD = Path(__file__).parent.parent / "old_formats" / "emoclf-0.1.0.tar.xz"
HEAVY = {"tensorflow", "keras", "sklearn", "pandas", "gensim", "scipy"}
KEYS = (
    "path kind architecture labels multilabel trained versions settings metrics bytes"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a bundle and its export, and unpack those and searches of 0.1.0."""
    folder = tmp_path_factory.mktemp("models")
    bundle = tiny_trained().bundle
    report = evaluate_classifier(tiny_trained().predictor, tiny_split())
    predictor = Predictor(replace(bundle, metrics=bundle.metrics | report.to_dict()))
    predictor.save(folder / "tiny.emoclf")
    export_folded(predictor, folder / "tiny.folded")
    with tarfile.open(OLD) as archive:
        archive.extractall(folder, filter="data")
    return folder


def show(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    assert main(["show", str(path)]) == 0
    shown = capsys.readouterr().out
    assert main(["show", str(path), "--json"]) == 0
    return shown, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tiny.emoclf", "bundle"),
        ("tiny.folded", "export"),
        ("classifier.emoclf", "bundle"),
        ("folded", "export"),
        ("saved-model", "export"),
        ("finished.search", "search"),
        ("unfinished.search", "search"),
    ],
)
def test_every_kind_is_shown(
    name: str, kind: str, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, values = show(folders / name, capsys)
    assert not set(KEYS.split()) - set(values)
    assert (values["kind"], values["architecture"]) == (kind, "text_cnn")
    assert values["labels"] == ["anger", "fear", "joy"]
    assert "emoclf" in values["versions"]
    assert values["bytes"] > 1000
    assert f"{kind}:" in shown
    assert "anger, fear, joy" in shown
    assert ("kernel_sizes" in shown) == bool(values["settings"])
    assert ("Checked against the bundle on" in shown) == (kind == "export")


def test_metrics_and_settings_travel_into_exports(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, bundle = show(folders / "tiny.emoclf", capsys)
    also_shown, export = show(folders / "tiny.folded", capsys)
    assert export["settings"] == bundle["settings"]
    assert export["metrics"]["table"] == bundle["metrics"]["table"]
    for text in (shown, also_shown):
        assert "TF-IDF + linear SVM" in text
        assert "epochs = 12" in text


def test_searches_show_trials_and_winner(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, values = show(folders / "finished.search", capsys)
    assert values["trials"] == {"completed": 3}
    assert values["best"] == str(folders / "finished.search" / "best.emoclf")
    assert "test  " in shown
    shown, values = show(folders / "unfinished.search", capsys)
    assert values["best"] is None
    assert "not trained yet" in shown


def test_nothing_heavy_is_loaded(folders: Path) -> None:
    code = (
        "import sys; from emoclf.cli import main\n"
        "for path in sys.argv[1:]: assert main(['show', path]) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    names = ("tiny.emoclf", "tiny.folded", "finished.search")
    done = subprocess.run(
        [sys.executable, "-c", code, *(folders / name for name in names)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.slow
def test_other_folders_and_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = tmp_path / "a.search"
    search.mkdir()
    (search / "search.json").write_text('{"plan": 3}')
    odd = tiny_folded(tmp_path / "odd")
    about = json.loads((odd / "emoclf.json").read_text()) | {"metrics": {"table": 5}}
    (odd / "emoclf.json").write_text(json.dumps(with_checksum(about)))
    export = tiny_folded(tmp_path)
    (export / "vocabulary.json").write_text("[]")
    for path, message in (
        (tmp_path / "no", "does not exist. Name a folder that 'emoclf train'"),
        (tmp_path, "is something else"),
        (search, "a.search is damaged"),
        (odd, "tiny.folded is damaged (TypeError"),
        (export, "vocabulary.json is damaged"),
    ):
        assert main(["show", str(path)]) == 1
        assert message in capsys.readouterr().err
