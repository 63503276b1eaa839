"""Folders from strangers: loading one is an error of emoclf, or predicts sound numbers.

Checksums are made again after each change, as whoever wrote the folder can. Covers
bundle/json_values, bundle_folder, export_folder and the readers of serving and folded.
"""

from __future__ import annotations

import copy
import gc
import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import tiny_trained
from warm_process import run

from emoclf import Predictor, load_exported
from emoclf.bundle.described_folder import CARD, PART_FILES, SUMS
from emoclf.bundle.json_values import with_checksum
from emoclf.classifier import Classifier
from emoclf.cli import main
from emoclf.errors import BundleError, EmoclfError
from emoclf.export.formats import FORMATS
from emoclf.serving.export_folder import file_crc32

TEXTS = ["it was lovely at home", "", "dark"]
SEED = 0
ODD_VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 7, 2**31, 10**30, 0.5, -0.5, 1e308, float("nan")),
    *("", "a", "../a", "\x1b[2J", [], [1], [None], ["a", "a"], [[]], {}, {"a": 1}),
]


#: A change of a saved bundle.
Change = Callable[[Path], None]


def reseal(folder: Path, about: dict[str, Any]) -> None:
    """Write ``emoclf.json`` with sums that agree with the files."""
    files = about.get("files")
    if isinstance(files, dict):
        for name in files:
            path = folder / name
            if path.is_file():
                files[name] = [path.stat().st_size, file_crc32(path)]
    text = json.dumps(with_checksum(about))
    (folder / "emoclf.json").write_text(text, "utf-8")


def reseal_bundle(folder: Path) -> None:
    """Write sums that agree with the files of a bundle."""
    names = (*PART_FILES.values(), CARD)
    sums = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
    ]
    (folder / SUMS).write_text("".join(sums))


def check(load: Callable[[], Classifier]) -> bool:
    """Return whether a folder is refused; else its predictions must be sound."""
    try:
        classifier = load()
        probabilities = classifier.predict_proba(TEXTS)
        labels = classifier.predict(TEXTS)
    except EmoclfError:
        return True
    assert probabilities.shape == (len(TEXTS), len(classifier.label_names))
    assert np.isfinite(probabilities).all()
    assert len(set(classifier.label_names)) == len(classifier.label_names)
    assert len(labels) == len(TEXTS)
    return False


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value of a JSON document."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def changed(about: dict[str, Any], rng: random.Random) -> tuple[dict[str, Any], str]:
    """Return a description with one value replaced or removed, and what was done."""
    about = copy.deepcopy(about)
    # Each entry is as likely: the settings alone have more values than all others.
    entry = rng.choice(list(about))
    *parents, last = rng.choice(list(places(about[entry], (entry,))))
    owner: Any = about
    for key in parents:
        owner = owner[key]
    value = rng.choice(ODD_VALUES)
    if isinstance(owner, dict) and rng.random() < 0.15:
        del owner[last]
        return about, f"without {[*parents, last]}"
    owner[last] = value
    return about, f"{[*parents, last]} = {value!r}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("export_format", "count"),
    [
        ("folded", 400),
        ("folded-int8", 200),
        ("onnx", 60),
        ("litert", 60),
        ("saved-model", 12),
    ],
)
def test_any_value_of_a_description_may_be_odd(
    export_format: str,
    count: int,
    tiny_export: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "export"
    # The graph of a SavedModel does not change, and takes half a second to load.
    monkeypatch.setattr(tf.saved_model, "load", cache(tf.saved_model.load))
    shutil.copytree(tiny_export(export_format), folder)
    sound = json.loads((folder / "emoclf.json").read_text())
    rng = random.Random(SEED)
    refused = 0
    for _ in range(count):
        about, change = changed(sound, rng)
        reseal(folder, about)
        try:
            refused += check(lambda: load_exported(folder))
        except Exception as error:
            raise AssertionError(f"{export_format}: {change}") from error
    assert refused > 0.15 * count


SPOILED = {
    "not finite": lambda a: np.full_like(a, np.nan) if a.dtype.kind == "f" else a,
    "infinite": lambda a: np.full_like(a, np.inf) if a.dtype.kind == "f" else a,
    "texts": lambda a: a.astype("U3"),
    "objects": lambda a: a.astype(object),
    "cut rows": lambda a: a[:1],
    "one axis": lambda a: a.ravel()[:3],
    "no rows": lambda a: a[:0],
    "more axes": lambda a: a[None],
    "complex": lambda a: a.astype(complex),
}


@pytest.mark.slow
@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize("export_format", ["folded", "folded-int8"])
def test_an_array_of_another_kind_is_refused(
    export_format: str,
    spoiled: str,
    tiny_export: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(tiny_export(export_format), folder)
    about = json.loads((folder / "emoclf.json").read_text())
    used = 0
    for path in sorted(folder.glob("*.npy")):
        original = path.read_bytes()
        array = np.load(path)
        values = SPOILED[spoiled](array)
        same = values.dtype == array.dtype and np.array_equal(values, array)
        # Tables for other precisions are not read; any number of words may be fine.
        if same or path.name.startswith(("int16", "int8")):
            continue
        if path.name == "embedding_fine.npy" and spoiled == "cut rows":
            continue
        np.save(path, values, allow_pickle=True)
        reseal(folder, about)
        assert check(lambda: load_exported(folder)), path.name
        used += 1
        path.write_bytes(original)
    assert used >= 5


@pytest.mark.parametrize("name", ["../outside.npy", "{tmp}/outside.npy", "a//b", ""])
def test_files_outside_of_the_folder_are_refused(
    name: str, tiny_export: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(tiny_export("folded"), folder)
    shutil.copy(folder / "embedding.npy", tmp_path / "outside.npy")
    about = json.loads((folder / "emoclf.json").read_text())
    about["files"][name.format(tmp=tmp_path)] = about["files"]["embedding.npy"]
    (folder / "emoclf.json").write_text(json.dumps(with_checksum(about)))
    with pytest.raises(BundleError, match="not within the folder"):
        load_exported(folder)


@pytest.mark.parametrize("name", ["emoclf.json", "embedding.npy", "vocabulary.json"])
def test_pipes_are_refused_and_links_to_files_are_read(
    name: str, tiny_export: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(tiny_export("folded"), folder)
    # Caches of model hubs consist of links.
    os.replace(folder / name, tmp_path / "blob")
    (folder / name).symlink_to(tmp_path / "blob")
    assert load_exported(folder).predict(TEXTS[:1]) == ["joy"]
    for make in (os.mkfifo, lambda path: os.symlink("/dev/zero", path)):
        (folder / name).unlink()
        make(folder / name)
        with pytest.raises(BundleError, match="not a regular file"):
            load_exported(folder)


@pytest.mark.slow
def test_any_value_of_a_bundle_may_be_odd(tmp_path: Path) -> None:
    folder = tiny_trained().predictor.save(tmp_path / "a.emoclf")
    originals = {name: (folder / name).read_bytes() for name in PART_FILES.values()}
    rng = random.Random(SEED)
    names = ["bundle.json"] * 50 + [
        "vocabulary.json",
        "history.json",
        "figures.json",
    ] * 5
    refused = 0
    for name in names:
        document, change = changed({"root": json.loads(originals[name])}, rng)
        text = json.dumps(document.get("root"))
        (folder / name).write_text(text)
        reseal_bundle(folder)
        try:
            refused += check(lambda: Predictor.load(folder))
        except Exception as error:
            raise AssertionError(f"{name}: {change}") from error
        (folder / name).write_bytes(originals[name])
    assert refused > 0.2 * len(names)


def test_a_bundle_that_declares_more_than_it_has_is_refused_at_once(
    tmp_path: Path,
) -> None:
    folder = tiny_trained().predictor.save(tmp_path / "a.emoclf")
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**7, 10**7)}
    with (
        ZipFile(folder / "weights.npz", "w") as archive,
        archive.open("logits/bias.npy", "w") as stream,
    ):
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(b"too few")
    reseal_bundle(folder)
    with pytest.raises(BundleError, match=r"declares 400,000,000,000,\d+ bytes"):
        Predictor.load(folder)


def with_junk(folder: Path) -> None:
    arrays = {"junk": np.zeros(1 << 25, np.uint8)}
    with np.load(folder / "tokenizer.npz") as archive:
        np.savez_compressed(folder / "tokenizer.npz", **arrays, **archive)


def with_bytes(name: str, value: int, *, local: int, central: int) -> Change:
    """Return a change of a byte of an archive's first member and of its listing."""

    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[local] = value
        if central:
            content[content.index(b"PK\1\2") + central] = value
        (folder / name).write_bytes(content)

    return change


def with_deep_settings(folder: Path) -> None:
    (folder / "settings.toml").write_text(f"a = {'[' * 99_999}")


def with_filters(folder: Path) -> None:
    path = folder / "settings.toml"
    text = path.read_text()
    assert "filters = " in text
    path.write_text(re.sub(r"filters = \d+", "filters = 4096", text))


CHANGES: dict[str, Change] = {
    "a compressed array of 32 MB in 33 kB": with_junk,
    "damaged compression": with_bytes("tokenizer.npz", 0xFF, local=100, central=0),
    "another compression": with_bytes("tokenizer.npz", 99, local=8, central=10),
    "encryption": with_bytes("tokenizer.npz", 1, local=6, central=8),
    "deep settings": with_deep_settings,
    "weights of another size": with_filters,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_bundle_that_takes_too_much_or_is_damaged(
    change: str, tmp_path: Path
) -> None:
    folder = tiny_trained().predictor.save(tmp_path / "a.emoclf")
    CHANGES[change](folder)
    reseal_bundle(folder)
    with pytest.raises(BundleError):
        Predictor.load(folder)


def test_nothing_is_allocated_for_weights_of_another_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_trained().predictor.save(tmp_path / "a.emoclf")
    with_filters(folder)
    reseal_bundle(folder)

    def allocate(*arguments: Any, **options: Any) -> None:
        raise AssertionError("weights were allocated")

    scaling = keras.initializers.VarianceScaling
    monkeypatch.setattr(scaling, "__call__", allocate)
    with pytest.raises(BundleError, match=r"weights of conv.* must have the shape"):
        Predictor.load(folder)


def test_a_refused_bundle_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = tiny_trained().predictor.save(tmp_path / "bad.emoclf")
    good = tiny_trained().predictor.save(tmp_path / "good.emoclf")
    with_filters(bad)
    reseal_bundle(bad)
    with pytest.raises(BundleError):
        Predictor.load(bad)
    assert not refused_variables()
    expected = tiny_trained().predict_proba(TEXTS)
    np.testing.assert_array_equal(Predictor.load(good).predict_proba(TEXTS), expected)


def refused_variables() -> list[tuple[int, ...]]:
    """Return the shapes of the variables of the refused network that still exist.

    Keras would give values to them when the next network is built.
    """
    gc.collect()
    # Other packages warn of what is asked about their objects.
    objects = [
        x for x in gc.get_objects() if str(type(x).__module__).startswith("keras")
    ]
    shapes = [tuple(x.shape) for x in objects if isinstance(x, keras.Variable)]
    return [shape for shape in shapes if 4096 in shape]


@pytest.mark.parametrize("command", ["predict", "show", "evaluate"])
def test_no_command_waits_for_a_pipe(
    command: str, tiny_export: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(tiny_export("folded"), folder)
    (folder / "emoclf.json").unlink()
    os.mkfifo(folder / "emoclf.json")
    arguments = {
        "predict": ["--text", "a"],
        "evaluate": ["data.csv"],
        "show": [],
    }
    assert main([command, str(folder), *arguments[command]]) == 1


def test_a_form_that_is_no_code_point(
    tiny_export: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(tiny_export("folded"), folder)
    about = json.loads((folder / "emoclf.json").read_text())
    changes = np.load(folder / "tokenizer-changes.npy")
    first, *_, last = np.load(folder / "tokenizer-numbers.npy")
    for row, value in ((first, -200), (last, 1 << 16), (first, 2**31 - 1)):
        other = changes.copy()
        other[row] = value
        np.save(folder / "tokenizer-changes.npy", other)
        reseal(folder, about)
        with pytest.raises(BundleError, match="more than code points"):
            load_exported(folder)


#: Load and predict under Python's audit hook, once everything is imported; print what
#: ran code, wrote a file, started a process or called somebody.
AUDIT = """
import sys
from emoclf import Predictor, load_exported
kind, first, second = sys.argv[1:]
load = Predictor.load if kind == "bundle" else load_exported
RUNS = {"pickle", "subprocess", "socket", "ctypes", "exec", "import"}
CALLS = {"os.system", "os.exec", "os.posix_spawn", "os.fork"}
seen = []

def hook(event, arguments):
    mode = arguments[1] if event == "open" else None
    writes = isinstance(mode, str) and bool(set(mode) & set("wax+"))
    # TensorFlow traces functions of emoclf, which compiles them.
    own = kind == "bundle" and event in ("exec", "import")
    if writes or event in CALLS or (event.split(".")[0] in RUNS and not own):
        seen.append(event)

load(first).predict(["a lovely gift", ""])
sys.addaudithook(hook)
load(second).predict(["a dark night", ""])
print(*seen)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["bundle", *(x for x in FORMATS if not FORMATS[x].needs_tensorflow)]
)
def test_nothing_in_a_folder_runs(
    kind: str, tiny_export: Callable[[str], Path], tmp_path: Path
) -> None:
    """A SavedModel is a program; see "What is safe" in the README."""
    first = tmp_path / "first"
    if kind == "bundle":
        tiny_trained().predictor.save(first)
    else:
        shutil.copytree(tiny_export(kind), first)
    second = shutil.copytree(first, tmp_path / "second")
    done = run("-c", AUDIT, kind, first, second)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
