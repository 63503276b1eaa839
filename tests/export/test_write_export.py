"""Targets, disks, packages and damage: an export is complete, or there is none.

Covers emoclf/export/write_export.py and emoclf/serving/export_folder.py.
"""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import tiny_trained

from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import BundleError, ExportError, MissingDependency, SettingsError
from emoclf.export import export_classifier
from emoclf.export.formats import FORMATS
from emoclf.serving import load_exported

TinyExport = Callable[[str], Path]


def export(to: str, path: Path, **options: Any) -> Path:
    # Without the graph that tokenizes, which takes seconds to trace.
    tokens = {"tokens": True} if to == "saved-model" else {}
    return export_classifier(tiny_trained().predictor, path, to=to, **tokens, **options)


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(name: str, tiny_export: TinyExport, tmp_path: Path) -> Path:
    """Return a copy of an export, where ``export(name, tmp_path / "it")`` puts it."""
    place = "it/1" if name == "saved-model" else "it"
    return shutil.copytree(tiny_export(name), tmp_path / place)


def state(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def largest_file(folder: Path) -> Path:
    return max(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: path.stat().st_size,
    )


@pytest.mark.slow
def test_an_existing_export_is_replaced_only_when_asked(
    name: str, folder: Path, tmp_path: Path
) -> None:
    before = state(tmp_path)
    with pytest.raises(ExportError, match=r"exists.*overwrite=True"):
        export(name, tmp_path / "it")
    assert state(tmp_path) == before
    (folder / "deep").mkdir()
    (folder / "deep" / "notes.txt").write_text("years of work")
    before = state(tmp_path)
    with pytest.raises(ExportError, match=r"also contains deep/notes\.txt.*left alone"):
        export(name, tmp_path / "it", overwrite=True)
    assert state(tmp_path) == before
    (folder / EXPORT.about).unlink()
    before = state(tmp_path)
    with pytest.raises(ExportError, match="left alone"):
        export(name, tmp_path / "it", overwrite=True)
    assert state(tmp_path) == before


def test_a_new_export_replaces_one_of_another_format(
    tiny_export: TinyExport, tmp_path: Path
) -> None:
    shutil.copytree(tiny_export("onnx"), tmp_path / "it")
    path = export("folded", tmp_path / "it", overwrite=True)
    assert not (path / "model.onnx").exists()
    assert load_exported(path).predict(["a lovely gift"]) == ["joy"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["it"]


def test_a_target_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="Cannot write"):
        export(name, tmp_path / "file" / "export")
    assert state(tmp_path) == {"file": b"mine"}


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_export(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(tmp_path)

    def full(path: Path, data: Any, **options: Any) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    def full_for_tensorflow(model: Any, folder: str, **options: Any) -> None:
        (Path(folder) / "saved_model.pb").touch()
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(np, "save", full)
    monkeypatch.setattr(tf.saved_model, "save", full_for_tensorflow)
    with pytest.raises(ExportError, match=r"No space left.*before is unchanged"):
        export(name, tmp_path / "it", overwrite=True)
    monkeypatch.undo()
    assert state(tmp_path) == before
    assert load_exported(folder).predict(["a lovely gift"]) == ["joy"]


@pytest.mark.slow
def test_a_changed_byte_and_a_missing_file(folder: Path) -> None:
    path = largest_file(folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=f"{path.name} is damaged: changed"):
        load_exported(folder)
    path.unlink()
    with pytest.raises(BundleError, match=f"{path.name} cannot be read"):
        load_exported(folder)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("onnx", "onnxruntime", "onnx"),
        ("onnx", "tf2onnx", "onnx"),
        ("litert", "ai_edge_litert.interpreter", "litert"),
    ],
)
def test_a_missing_package_is_named(
    name: str,
    package: str,
    extra: str,
    tiny_export: TinyExport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tiny_export(name)
    monkeypatch.setitem(sys.modules, package, None)
    advice = rf"{package}.*pip install 'emoclf\[{extra}\]'"
    with pytest.raises(MissingDependency, match=advice):
        export(name, tmp_path / "it")
    assert not list(tmp_path.iterdir())
    if package != "tf2onnx":
        with pytest.raises(MissingDependency, match=advice):
            load_exported(path)


@pytest.mark.parametrize(
    "name", [name for name, x in FORMATS.items() if "threads" in x.reader_options()]
)
def test_threads_are_counted_from_one(name: str, tiny_export: TinyExport) -> None:
    path = tiny_export(name)
    with pytest.raises(SettingsError, match=r"from 1 on.*Got 0"):
        load_exported(path, threads=0)
    loaded = load_exported(path, threads=2)
    assert loaded.predict(["a lovely gift"]) == ["joy"]


def test_a_network_that_cannot_be_converted_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise ValueError("Op 'Unknown' is not known\nand a hundred lines more")

    converter = type(tf.lite.TFLiteConverter.from_concrete_functions([], tf.Module()))
    monkeypatch.setattr(converter, "convert", fail)
    with pytest.raises(ExportError, match=r"is not known\. Export it to saved-model"):
        export("litert", tmp_path / "it")
    assert not list(tmp_path.iterdir())
