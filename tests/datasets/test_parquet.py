"""Tests of emoclf.datasets.parquet: files of other writers."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.datasets.readers import read_dataset
from emoclf.errors import DataError
from emoclf.settings import DataSettings

TEXTS = [b"a lovely gift", "déjà vu".encode()]
CLASS = {"names": ["anger", "joy", "no one's"], "_type": "ClassLabel"}


def write(path: Path, columns: dict[str, pa.Array], features: object = None) -> Path:
    table = pa.table(columns)
    if features is not None:
        content = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": content})
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_texts_that_are_marked_as_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    columns = {"text": pa.array(TEXTS, kind), "label": pa.array([b"x", b"y"], kind)}
    data = read_dataset(write(tmp_path / "d.parquet", columns))
    assert (data.texts, data.labels) == (("a lovely gift", "déjà vu"), ("x", "y"))
    columns["label"] = pa.array([[b"x"], [b"x", b"y"]], pa.list_(kind))
    path = write(tmp_path / "d.parquet", columns)
    assert read_dataset(path).labels == (("x",), ("x", "y"))
    columns["text"] = columns["text"].dictionary_encode()
    path = write(tmp_path / "d.parquet", columns)
    assert read_dataset(path).texts[1] == "déjà vu"
    columns["text"] = pa.array([b"a", b"d\xe9j\xe0"], kind)
    path = write(tmp_path / "d.parquet", columns)
    with pytest.raises(DataError, match=r"row 1: the text must be a string.*b'a'"):
        read_dataset(path)


@pytest.mark.parametrize(
    "feature",
    [
        CLASS,
        {"feature": CLASS, "_type": "Sequence"},
        {"feature": CLASS, "_type": "List"},
        [CLASS],
    ],
)
def test_names_of_classes_in_the_metadata(tmp_path: Path, feature: object) -> None:
    labels = [1, 0, 1] if feature is CLASS else [[1], [0, 1], [1]]
    columns = {"text": pa.array(["a", "b", "c"]), "label": pa.array(labels)}
    text = {"dtype": "string", "_type": "Value"}
    features = {"text": text, "label": feature}
    path = write(tmp_path / "d.parquet", columns, features)
    data = read_dataset(path)
    assert data.labels[0] == ("joy" if feature is CLASS else ("joy",))
    assert data.label_names == ("anger", "joy")
    given = DataSettings(label_names={"0": "bad", "1": "good"})
    assert read_dataset(path, given).label_names == ("bad", "good")
    other = read_dataset(path, label_names=("joy", "anger"))
    assert other.label_names == ("joy", "anger")


@pytest.mark.parametrize("metadata", [b"{", b"[]", b'{"info": null}', b"\xff"])
def test_other_metadata_are_ignored(tmp_path: Path, metadata: bytes) -> None:
    table = pa.table({"text": ["a", "b"], "label": [0, 1]})
    path = tmp_path / "d.parquet"
    pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), path)
    assert read_dataset(path).labels == ("0", "1")


FAR = {
    "far": (pa.timestamp("ms"), 400_000_000_000_000, "14645-06-30T15:06:40.000"),
    "day": (pa.date32(), 5_865_794, "18029-12-31"),
    "nowhere": (pa.timestamp("ms", tz="No/Where"), 1, "1970-01-01T00:00:00.001Z"),
    "berlin": (
        pa.timestamp("ms", tz="Europe/Berlin"),
        1000,
        "1970-01-01T01:00:01+01:00",
    ),
    "list": (pa.list_(pa.date32()), [5_865_794], ["18029-12-31"]),
    "object": (pa.struct([("a", pa.date32())]), {"a": 5_865_794}, {"a": "18029-12-31"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAR)
def test_dates_and_zones_that_python_does_not_have(tmp_path: Path, name: str) -> None:
    kind, value, text = FAR[name]
    cells = pa.array([value, None], kind)
    columns = {"text": pa.array(TEXTS, pa.binary()), "when": cells}
    path = write(tmp_path / "d.parquet", columns)
    model = tiny_folded(tmp_path / "exports")
    for ending in ("jsonl", "csv", "parquet"):
        assert predict_file(model, path, tmp_path / f"out.{ending}") == (2, 0)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["when"] for line in lines] == [text, None]
    written = pq.read_table(tmp_path / "out.parquet")
    assert written["when"].combine_chunks().equals(cells)
    assert written["text"].to_pylist() == TEXTS
    columns["label"] = pa.array(["x", "y"])
    assert read_dataset(write(path, columns)).labels == ("x", "y")


def test_a_column_for_each_label_may_have_named_classes(tmp_path: Path) -> None:
    flag = {"names": ["no", "yes"], "_type": "ClassLabel"}
    columns = {"text": TEXTS, "joy": [1, 0], "fear": [1, 1]}
    arrays = {name: pa.array(values) for name, values in columns.items()}
    path = write(tmp_path / "d.parquet", arrays, {"joy": flag, "fear": flag})
    data = read_dataset(path, DataSettings(label_columns=("joy", "fear")))
    assert data.labels == (("joy", "fear"), ("fear",))
