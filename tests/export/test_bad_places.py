"""What stands in an export's way: places, disks, packages and damage."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tiny import tiny_trained

from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import BundleError, ExportError, MissingDependency, SettingsError
from emoclf.export.any_format import export_classifier
from emoclf.serving import load_exported

FORMS = ("saved-model", "onnx", "litert")
FILES = {
    "saved-model": "variables/variables.index",
    "onnx": "model.onnx",
    "litert": "model.tflite",
}


def export(to: str, path: Path, **options: Any) -> Path:
    own = {"tokens": True} if to == "saved-model" else {}
    return export_classifier(tiny_trained().predictor, path, to=to, **own, **options)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("exports")
    return {form: export(form, place / form) for form in FORMS}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(form: str, originals: dict[str, Path], tmp_path: Path) -> Path:
    """Return a copy of an export, where ``export(form, tmp_path / "it")`` puts it."""
    name = "it/1" if form == "saved-model" else "it"
    return shutil.copytree(originals[form], tmp_path / name)


def state(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_what_is_there_is_replaced_only_when_asked(
    form: str, folder: Path, tmp_path: Path
) -> None:
    before = state(tmp_path)
    with pytest.raises(ExportError, match=r"exists.*overwrite=True"):
        export(form, tmp_path / "it")
    assert state(tmp_path) == before
    (folder / EXPORT.about).unlink()
    before = state(tmp_path)
    with pytest.raises(ExportError, match="left alone"):
        export(form, tmp_path / "it", overwrite=True)
    assert state(tmp_path) == before


def test_a_new_export_takes_an_old_ones_place(originals: Any, tmp_path: Path) -> None:
    shutil.copytree(originals["onnx"], tmp_path / "it")
    path = export("litert", tmp_path / "it", overwrite=True)
    assert not (path / FILES["onnx"]).exists()
    assert load_exported(path).predict(["a lovely gift"]) == ["joy"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["it"]


def test_a_place_that_cannot_be_written(form: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="Cannot write"):
        export(form, tmp_path / "file" / "export")
    assert state(tmp_path) == {"file": b"mine"}


def test_a_disk_that_fills_up_leaves_the_old_export(
    form: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(tmp_path)

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    def full_for_tensorflow(model: Any, folder: str, **options: Any) -> None:
        (Path(folder) / "saved_model.pb").touch()
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(tf.saved_model, "save", full_for_tensorflow)
    with pytest.raises(ExportError, match=r"No space left.*before is unchanged"):
        export(form, tmp_path / "it", overwrite=True)
    monkeypatch.undo()
    assert state(tmp_path) == before
    assert load_exported(folder).predict(["a lovely gift"]) == ["joy"]


def test_a_changed_byte_and_a_missing_file(form: str, folder: Path) -> None:
    path = folder / FILES[form]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=f"{path.name} is damaged: changed"):
        load_exported(folder)
    path.unlink()
    with pytest.raises(BundleError, match=f"{path.name} cannot be read"):
        load_exported(folder)


@pytest.mark.parametrize(
    ("form", "package", "extra"),
    [
        ("onnx", "onnxruntime", "onnx"),
        ("onnx", "tf2onnx", "onnx"),
        ("litert", "ai_edge_litert.interpreter", "litert"),
    ],
)
def test_a_missing_package_is_named(
    form: str,
    package: str,
    extra: str,
    originals: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    advice = rf"{package}.*pip install 'emoclf\[{extra}\]'"
    with pytest.raises(MissingDependency, match=advice):
        export(form, tmp_path / "it")
    assert not list(tmp_path.iterdir())
    if package != "tf2onnx":
        with pytest.raises(MissingDependency, match=advice):
            load_exported(originals[form])


@pytest.mark.parametrize("form", ["onnx", "litert"])
def test_threads_are_counted_from_one(form: str, originals: dict[str, Path]) -> None:
    with pytest.raises(SettingsError, match=r"from 1 on.*Got 0"):
        load_exported(originals[form], threads=0)
    loaded = load_exported(originals[form], threads=2)
    assert loaded.predict(["a lovely gift"]) == ["joy"]


def test_a_network_that_cannot_be_converted_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise ValueError("Op 'Unknown' is not known\nand a hundred lines more")

    converter = type(tf.lite.TFLiteConverter.from_concrete_functions([], tf.Module()))
    monkeypatch.setattr(converter, "convert", fail)
    with pytest.raises(ExportError, match=r"is not known\. Export it to saved-model"):
        export("litert", tmp_path / "it")
    assert not list(tmp_path.iterdir())
