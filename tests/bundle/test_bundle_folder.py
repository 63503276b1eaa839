"""Bundles: complete, checked, atomic, and never executed.

Covers all modules of emoclf/bundle.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_folded, tiny_trained
from warm_process import WarmProcess

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import load_bundle, save_bundle
from emoclf.bundle.described_folder import BUNDLE, SUMS
from emoclf.contextual.input_vectors import InputVectors
from emoclf.errors import BundleError, SearchError
from emoclf.models.build import build_model
from emoclf.predictor import Predictor
from emoclf.serving import load_exported
from emoclf.tuning.folder import SearchFolder

TEXTS = ["it was lovely by the sea", "trembling alone", "", "unknown words only"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_bundle(tiny_trained().bundle, tmp_path / "a bundle.emoclf")


def test_a_loaded_classifier_predicts_as_the_saved_one(saved: Path) -> None:
    before = tiny_trained().predictor.predict_proba(TEXTS)
    loaded = Predictor.load(saved)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), before)
    assert loaded.label_names == ("anger", "fear", "joy")
    assert loaded.bundle.settings == tiny_trained().bundle.settings
    assert loaded.bundle.history == tiny_trained().bundle.history


@pytest.fixture(scope="module")
def unusual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    """Return a bundle in which no field has its default, and what was loaded of it."""
    tiny = tiny_trained().bundle
    bundle = replace(
        tiny,
        model=build_model(tiny.settings, n_classes=3, multilabel=True, embedded_dim=5),
        inputs=InputVectors(5, "an encoder", digest="1f", pooled=True),
        multilabel=True,
        settings=tiny.settings.override(seed=7, stop_words=("the", "a")),
        metrics={"best_epoch": 3, "texts": {"train": 40}},
        versions={"emoclf": "0.0.1", "keras": "0"},
        created="2001-02-03T04:05:06+00:00",
        label_kind="b",
        thresholds=(0.25, 0.5, 0.625),
    )
    path = tmp_path_factory.mktemp("bundles") / "unusual.emoclf"
    return bundle, load_bundle(save_bundle(bundle, path))


@pytest.mark.parametrize("name", [field.name for field in fields(Bundle)])
def test_every_field_survives_saving_and_loading(
    name: str, unusual: tuple[Bundle, Bundle]
) -> None:
    before, after = (getattr(bundle, name) for bundle in unusual)
    if name == "model":
        assert [w.path for w in before.weights] == [w.path for w in after.weights]
        for one, other in zip(before.weights, after.weights, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
    elif name == "encoder":
        one, other = before.to_state(), after.to_state()
        assert one[:2] == other[:2]
        assert one[2].keys() == other[2].keys()
        for key, table in one[2].items():
            np.testing.assert_array_equal(table, other[2][key])
    else:
        assert before == after
        default = next(field for field in fields(Bundle) if field.name == name).default
        assert before != default


def test_a_bundle_is_described(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {*BUNDLE.files, SUMS}
    about = json.loads((saved / "bundle.json").read_text())
    assert about["format"] == 1
    assert about["label_names"] == ["anger", "fear", "joy"]
    assert "tensorflow" in about["versions"]
    assert "anger, fear, joy" in (saved / "README.md").read_text()
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", SUMS],
        cwd=saved,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_file_of_a_bundle_is_a_pickle(saved: Path) -> None:
    for name in ("weights.npz", "tokenizer.npz"):
        with np.load(saved / name, allow_pickle=False) as arrays:
            assert all(arrays[key].dtype != object for key in arrays.files)


@pytest.mark.parametrize("name", [*BUNDLE.files, SUMS])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_any_damage_is_named(saved: Path, name: str, damage: str) -> None:
    path = saved / name
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.unlink()
    with pytest.raises(BundleError, match=r"damaged|incomplete|cannot be read|has no"):
        load_bundle(saved)


def test_a_newer_format_says_how_to_upgrade(saved: Path) -> None:
    about = json.loads((saved / "bundle.json").read_text())
    (saved / "bundle.json").write_text(json.dumps({**about, "format": 9}))
    with pytest.raises(BundleError, match=r"format 9.*reads up to 2.*pip install -U"):
        load_bundle(saved)


@pytest.mark.parametrize("kind", ["missing", "file", "folder"])
def test_something_else_is_not_a_bundle(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "file":
        path.write_text("text")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(BundleError, match=r"does not exist|is a file|is not a bundle"):
        load_bundle(path)


def test_a_folder_of_another_kind_is_named_with_its_loader(
    saved: Path, tmp_path: Path
) -> None:
    export = tiny_folded(tmp_path)
    versions, search = tmp_path / "served", tmp_path / "data.search"
    shutil.copytree(export, versions / "2")
    search.mkdir()
    (search / "search.json").write_text("{}")
    for path in (export, versions):
        match = "is an export of a classifier, not a bundle: load_exported loads it"
        with pytest.raises(BundleError, match=match):
            load_bundle(path)
    match = "is a bundle, not an export: load_bundle and Predictor.load load it"
    with pytest.raises(BundleError, match=match):
        load_exported(saved)
    with pytest.raises(BundleError, match="is a search, not a bundle: it has no best"):
        load_bundle(search)
    shutil.copytree(saved, search / "best.emoclf")
    best = re.escape(f"its best classifier is {search / 'best.emoclf'}.")
    for load, kind in ((load_bundle, "a bundle"), (load_exported, "an export")):
        with pytest.raises(BundleError, match=f"is a search, not {kind}: {best}"):
            load(search)
    with pytest.raises(SearchError, match="is a bundle, not a search"):
        SearchFolder(saved).about()


def test_a_bundle_is_replaced_only_when_asked(saved: Path) -> None:
    before = (saved / "bundle.json").read_bytes()
    with pytest.raises(BundleError, match="overwrite"):
        save_bundle(tiny_trained().bundle, saved)
    assert (saved / "bundle.json").read_bytes() == before
    save_bundle(tiny_trained().bundle, saved, overwrite=True)
    assert load_bundle(saved).label_names == ("anger", "fear", "joy")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(BundleError, match="left alone"):
        save_bundle(tiny_trained().bundle, tmp_path / "thesis", overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_file_that_the_user_added_is_left_alone(saved: Path) -> None:
    (saved / "notes.txt").write_text("years of work")
    with pytest.raises(BundleError, match=r"also contains notes.txt.*left alone"):
        save_bundle(tiny_trained().bundle, saved, overwrite=True)
    assert (saved / "notes.txt").read_text() == "years of work"


@pytest.mark.parametrize("path", ["", "/", "x" * 300])
def test_paths_that_no_bundle_can_have(path: str) -> None:
    for act in (load_bundle, BUNDLE.check_target):
        with pytest.raises(BundleError, match="cannot be a bundle"):
            act(path)


def test_the_current_folder_can_be_a_bundle(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved)
    assert load_bundle(".").label_names == ("anger", "fear", "joy")


def test_a_vocabulary_of_another_size_is_refused(saved: Path) -> None:
    parts = tiny_trained().bundle.to_parts()
    with pytest.raises(BundleError, match="embedding matrix"):
        replace(parts, tokens=parts.tokens[:-1]).to_bundle()


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    bundle = replace(tiny_trained().bundle, metrics={"not JSON": object()})
    with pytest.raises(TypeError):
        save_bundle(bundle, tmp_path / "x.emoclf")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_replacement_is_undone(saved: Path) -> None:
    # The state after a kill between the two renames.
    os.replace(saved, saved.with_name(f".{saved.name}.before"))
    assert load_bundle(saved).label_names == ("anger", "fear", "joy")
    assert not saved.exists()
    BUNDLE.check_target(saved, overwrite=True)
    assert saved.exists()


SAVER = """
import sys
from pathlib import Path
from emoclf.bundle.bundle_folder import load_bundle, save_bundle
bundle = load_bundle(sys.argv[1])
Path(sys.argv[2]).touch()
while True:
    save_bundle(bundle, sys.argv[1], overwrite=True)
"""


@pytest.mark.slow
def test_a_killed_save_never_costs_the_bundle(saved: Path, tmp_path: Path) -> None:
    for wait in (0.003, 0.02, 0.05):
        ready = tmp_path / f"ready {wait}"
        saver = WarmProcess("-c", SAVER, saved, ready)
        while saver.poll() is None and not ready.exists():
            time.sleep(0.001)
        time.sleep(wait)
        saver.kill()
        assert saver.wait() == -signal.SIGKILL
        assert load_bundle(saved).label_names == ("anger", "fear", "joy")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BundleError, match="Cannot write"):
        save_bundle(tiny_trained().bundle, tmp_path / "x.emoclf")


def test_a_parent_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="Cannot write"):
        save_bundle(tiny_trained().bundle, tmp_path / "file" / "x.emoclf")
