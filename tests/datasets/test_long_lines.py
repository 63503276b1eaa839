"""Lines without an end take no memory; tests of datasets.line_blocks and source."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.datasets import json_lines
from emoclf.datasets.line_blocks import BLOCK_BYTES, line_blocks
from emoclf.datasets.readers import read_dataset
from emoclf.embeddings.word2vec import TextFiles
from emoclf.errors import DataError
from emoclf.settings import DataSettings

LONG = 100_000_000
# Beginning of the file, of a long line in it, its end, and the end of the file.
FILES = {
    "d.csv": ("text,label\na,joy\n", '"', '",joy\n', "b,joy\n"),
    "d.tsv": ("text\tlabel\na\tjoy\n", "", "\tjoy\n", "b\tjoy\n"),
    "d.jsonl": (
        '{"text": "a", "label": "joy"}\n',
        '{"text": "',
        '"}\n',
        '{"text": "b", "label": "joy"}\n',
    ),
}
READ = """
import resource, sys
from emoclf.datasets.readers import read_dataset
from emoclf.settings import DataSettings

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

small, large = sys.argv[1:]
settings = DataSettings(skip_bad_rows=True)
read_dataset(small, settings)
before = peak()
data = read_dataset(large, settings)
print(*data.texts, *data.skips[0].first, peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_line_without_an_end_takes_no_memory(tmp_path: Path, name: str) -> None:
    head, begin, end, tail = FILES[name]
    for path, size in (("small", 10), ("large", LONG)):
        (tmp_path / path).mkdir()
        with gzip.open(tmp_path / path / f"{name}.gz", "wt", compresslevel=1) as stream:
            stream.write(head + begin)
            for _ in range(size // 1_000_000):
                stream.write("x" * 1_000_000)
            stream.write(end + tail)
    paths = [str(tmp_path / path / f"{name}.gz") for path in ("small", "large")]
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths], capture_output=True, text=True, check=True
    )
    first, second, line, memory = done.stdout.split()
    assert (first, second, line) == ("a", "b", "2" if "jsonl" in name else "3")
    assert int(memory) < LONG / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_long_line_is_a_bad_row(tmp_path: Path, name: str) -> None:
    head, begin, end, tail = FILES[name]
    path = tmp_path / name
    path.write_text(head + begin + "x" * 9000 + end + tail)
    line = 2 if "jsonl" in name else 3
    message = rf"{name}, line {line}: the line has more than 5,000 bytes.*max_line_byt"
    settings = DataSettings(max_line_bytes=5000)
    with pytest.raises(DataError, match=message):
        read_dataset(path, settings)
    settings = DataSettings(max_line_bytes=5000, skip_bad_rows=True)
    assert read_dataset(path, settings).texts == ("a", "b")
    model, out = tiny_folded(tmp_path / "model"), tmp_path / "out.jsonl"
    options = {"prefix": "p_", "max_line_bytes": 5000}
    with pytest.raises(DataError, match=message):
        predict_file(model, path, out, **options)  # type: ignore[arg-type]
    predict_file(model, path, out, on_error="skip", **options)  # type: ignore[arg-type]
    assert [json.loads(x)["text"] for x in out.read_text().splitlines()] == ["a", "b"]


@pytest.mark.slow
def test_a_long_line_of_plain_lines_is_a_bad_line(tmp_path: Path) -> None:
    path, out = tmp_path / "d.txt", tmp_path / "out.jsonl"
    path.write_text(f"a\n{'x' * 600_000}\nb\n{'y' * 300_000}")
    model = tiny_folded(tmp_path / "model")
    done = predict_file(model, path, out, on_error="null", max_line_bytes=299_999)
    assert done.bad == 2
    rows = [json.loads(row) for row in out.read_text().splitlines()]
    assert [row["label"] is None for row in rows] == [False, True, False, True]


@pytest.mark.parametrize("limit", [10, BLOCK_BYTES, 1 << 24])
def test_blocks_contain_all_lines_but_long_ones(limit: int) -> None:
    lines = [b"a", b"b" * 300_000, b"", b"c" * 900_000, b"d"]
    found: list[bytes | None] = []
    for block in line_blocks(io.BytesIO(b"\n".join(lines)), limit):
        assert block is None or len(block) <= limit + 2 * BLOCK_BYTES
        rows = [None] if block is None else block.removesuffix(b"\n").split(b"\n")
        found += rows
    assert len(found) == len(lines)
    assert (found[3] is None) == (limit < 900_000)
    assert all(a in (b, None) for a, b in zip(found, lines, strict=True))
    assert (found[0], found[2], found[4]) == (b"a", b"", b"d")


def test_a_text_of_gigabytes_trains_no_vectors(tmp_path: Path) -> None:
    path = tmp_path / "texts.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b"a text\n" + b"x " * 10_000_000)
    with pytest.raises(DataError, match=r"line 2: the line has more than"):
        list(TextFiles([path]))


def test_an_array_may_be_one_long_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.json"
    row = {"text": "x" * 500, "label": "joy"}
    path.write_text(
        json.dumps([{**row, "text": f"{n} {row['text']}"} for n in range(9)])
    )
    settings = DataSettings(max_line_bytes=1000)
    assert len(read_dataset(path, settings)) == 9
    monkeypatch.setattr(json_lines, "MAX_ARRAY_BYTES", 2000)
    for indent in (None, 1):
        path.write_text(json.dumps([row] * 9, indent=indent))
        with pytest.raises(DataError, match=r"read as a whole\. Save it as JSON Lines"):
            read_dataset(path, settings)
    lines = [{**row, "text": "y" * 2000}, row, row]
    path.write_text("\n".join(map(json.dumps, [row, *lines])))
    with pytest.raises(DataError, match=r"line 2: the line has more than 1,000 bytes"):
        read_dataset(path, settings)


def test_the_limit_is_that_of_cells_too(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    cell = "\n".join(["x" * 900] * 200)
    path.write_text(f'text,label\n"{cell}",joy\n"{cell}y",joy\n')
    before = csv.field_size_limit()
    message = r"line 2: a cell has more than 131,072 .* raise max_line_bytes"
    with pytest.raises(DataError, match=message):
        read_dataset(path)
    data = read_dataset(path, max_line_bytes=200_000)
    assert [len(text) for text in data.texts] == [len(cell), len(cell) + 1]
    with pytest.raises(DataError, match=r"more than 1,000 characters"):
        read_dataset(path, max_line_bytes=1000)
    assert csv.field_size_limit() == before
