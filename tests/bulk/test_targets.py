"""An output file is complete or absent, and memory does not grow with it.

Tests of emoclf.bulk: targets, file_prediction and predict_chunks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import Progress, predict_file
from emoclf.bulk.predict_chunks import needs_tensorflow
from emoclf.classifier import Classifier
from emoclf.errors import BundleError, DataError, SettingsError
from emoclf.serving import load_exported

MB = 1 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folded(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Classifier:
    return load_exported(folder)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.txt"
    path.write_text("a lovely gift\n" * 5000)
    return path


def test_an_existing_file_is_not_replaced(
    model: Classifier, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine")
    with pytest.raises(DataError, match=r"out.csv exists already.*overwrite=True"):
        predict_file(model, source, target)
    assert target.read_text() == "mine"
    predict_file(model, source, target, overwrite=True)
    assert target.read_text().startswith("text,label,")
    # The input itself can be replaced: it is read to its end before.
    predict_file(model, target, target, overwrite=True, prefix="p_")
    assert target.read_text().count("\n") == 5001
    predict_file(model, source, tmp_path / "new folder" / "out.csv")


@pytest.mark.parametrize("on_error", ["skip", "null"])
def test_the_input_is_replaced_only_if_every_row_has_a_prediction(
    on_error: str, model: Classifier, tmp_path: Path
) -> None:
    path, link = tmp_path / "rows.csv", tmp_path / "link.csv"
    link.symlink_to(path)
    rows = "text,id\na lovely gift,1\ntwo,cells,too many\n"
    path.write_text(rows)
    for target in (path, link):
        with pytest.raises(DataError, match=r"input and output, and 1 of its lines"):
            predict_file(model, path, target, overwrite=True, on_error=on_error)
        assert path.read_text() == rows


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("out", r"must end in .csv, .tsv, .jsonl"),
        ("out.xlsx", r"must end in .csv"),
        ("out.parquet.gz", r"also with .gz, or in .parquet"),
        ("folder.csv", r"is a directory. Name a file in it"),
        ("in.txt/out.csv", r"Cannot write .*out.csv: (File exists|Not a directory)"),
        ("x" * 300 + ".csv", r"Cannot write .*File name too long"),
    ],
)
def test_impossible_targets_are_errors(
    name: str, match: str, model: Classifier, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=match):
        predict_file(model, source, tmp_path / name)


def test_an_interrupted_write_leaves_nothing(
    model: Classifier, source: Path, tmp_path: Path
) -> None:
    def interrupt(state: Progress) -> None:
        if state.predicted > 3000:
            raise KeyboardInterrupt

    for ending in (".csv", ".jsonl.gz", ".parquet"):
        with pytest.raises(KeyboardInterrupt):
            predict_file(model, source, tmp_path / f"out{ending}", report=interrupt)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_full_disk_leaves_nothing(
    ending: str, folder: Path, source: Path, tmp_path: Path
) -> None:
    # A limit of the size of files stands for the end of the disk.
    code = (
        "import resource, sys; from emoclf.bulk.file_prediction import predict_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))\n"
        "predict_file(*sys.argv[1:])"
    )
    source.write_text("".join(f"lovely {i * 7919}\n" for i in range(5000)))
    target = tmp_path / f"out{ending}"
    done = subprocess.run(
        [sys.executable, "-c", code, folder, source, target],
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert f"Cannot write {target}: File too large" in last, done.stderr
    assert "Exception ignored" not in done.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_options_are_for_folded_exports(
    folder: Path, model: Classifier, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"precision must be one of.*'float8'"):
        predict_file(
            folder, source, tmp_path / "x.csv", options={"precision": "float8"}
        )
    predict_file(folder, source, tmp_path / "x.csv", options={"precision": "int16"})
    with pytest.raises(
        SettingsError, match="workers and options need the path of a model"
    ):
        predict_file(model, source, tmp_path / "y.csv", workers=2)
    with pytest.raises(SettingsError, match=r"workers=0 is too few. There must"):
        predict_file(folder, source, tmp_path / "y.csv", workers=0)
    with pytest.raises(BundleError, match="does not exist"):
        predict_file(tmp_path / "nowhere", source, tmp_path / "y.csv")
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "bundle.json").touch()
    for workers in (1, 2):
        with pytest.raises(
            SettingsError, match=r"engine='numba' is for folded.*bundle"
        ):
            predict_file(
                tmp_path / "bundle",
                source,
                tmp_path / "y.csv",
                workers=workers,
                options={"engine": "numba"},
            )
    served = tmp_path / "served"
    (served / "2").mkdir(parents=True)
    (served / "2" / "emoclf.json").write_text('{"form": "saved-model"}')
    with pytest.raises(SettingsError, match=r"served is an export to saved-model"):
        predict_file(served, source, tmp_path / "y.csv", options={"engine": "numba"})
    assert needs_tensorflow(served)
    assert not needs_tensorflow(folder)
    assert not (tmp_path / "y.csv").exists()


def resident() -> int:
    """Return the bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".txt", ".csv", ".jsonl", ".parquet"])
def test_memory_stays_flat(ending: str, model: Classifier, tmp_path: Path) -> None:
    texts = tmp_path / "in.txt"
    with open(texts, "w") as stream:
        for i in range(100_000 if ending == ".txt" else 30_000):
            stream.write(f"it was lovely number {i % 50_000} at home in the street\n")
    source, target = tmp_path / f"middle{ending}", tmp_path / f"out{ending}"
    if ending == ".txt":
        source, target = texts, tmp_path / "out.jsonl"
    else:
        predict_file(model, texts, source)
    sizes: list[int] = []

    def sample(state: Progress) -> None:
        sizes.append(resident())

    predict_file(model, source, target, prefix="p_", report=sample)
    # The memory for pieces of texts fills first; from then on nothing grows.
    assert max(sizes) - sizes[2] < (25 if ending == ".txt" else 50) * MB
    if ending == ".jsonl":
        with open(target) as written:
            assert json.loads(next(written))["p_label"] == "joy"
