"""Every format is read and written, with all other columns.

Tests of emoclf.bulk: file_prediction, entries, predict_chunks, writers and
parquet_writer.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest
from tiny import tiny_folded, tiny_settings, tiny_trained

from emoclf.bulk.file_prediction import predict_file
from emoclf.classifier import Classifier
from emoclf.datasets.readers import read_dataset
from emoclf.errors import DataError, SettingsError
from emoclf.models.build import build_model
from emoclf.predictor import Predictor
from emoclf.serving import load_exported

TEXTS = ["a lovely gift", "alone, in\nthe dark", 'an "unfair" insult', ""]
LABELS = ["joy", "fear", "anger", ""]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return load_exported(tiny_folded(tmp_path_factory.mktemp("exports")))


@pytest.fixture
def predict_rows(
    model: Classifier, tmp_path: Path
) -> Callable[..., list[dict[str, Any]]]:
    def predict(source: Path, **options: Any) -> list[dict[str, Any]]:
        target = tmp_path / "predicted.jsonl"
        predict_file(model, source, target, overwrite=True, **options)
        return [json.loads(line) for line in target.read_bytes().splitlines()]

    return predict


def save(path: Path, texts: list[str]) -> Path:
    """Write texts with a number beside each, in the format of the ending."""
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    stream = io.StringIO()
    if ".csv" in path.name:
        writer = csv.DictWriter(stream, ["id", "text"])
        writer.writeheader()
        writer.writerows(rows)
    elif ".tsv" in path.name:
        lines = ["\t".join(row.values()) for row in rows]
        stream.write("\n".join(["id\ttext", *lines]))
    elif ".jsonl" in path.name:
        stream.write("\n\n".join(map(json.dumps, rows)))
    elif ".parquet" in path.name:
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    else:
        stream.write("\r\n".join(texts))
    data = stream.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Read what was written, without the package's own readers."""
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.split("\n")[:-1]]
    quoting = csv.QUOTE_NONE if ".tsv" in path.name else csv.QUOTE_MINIMAL
    separator = "\t" if ".tsv" in path.name else ","
    return list(
        csv.DictReader(
            io.StringIO(text, newline=""), delimiter=separator, quoting=quoting
        )
    )


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ".txt", ""])
def test_every_format_is_read(
    ending: str, gz: str, model: Classifier, tmp_path: Path, predict_rows: Any
) -> None:
    one_line = ending in (".tsv", ".txt", "")
    texts = [text.replace("\n", " ") if one_line else text for text in TEXTS]
    path = save(tmp_path / f"in.put{ending}", texts)
    if gz:
        packed = path.with_name(path.name + gz)
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    # An empty last line is no line.
    texts = texts[:-1] if ending in (".txt", "") else texts
    found = predict_rows(path)
    assert [row["text"] for row in found] == texts
    assert [row["label"] for row in found] == model.predict(texts)
    expected = model.predict_proba(texts)
    for row, probabilities in zip(found, expected, strict=True):
        assert list(row["probabilities"]) == ["anger", "fear", "joy"]
        assert list(row["probabilities"].values()) == pytest.approx(
            probabilities.tolist(), abs=1e-6
        )
    if not one_line or ending == ".tsv":
        assert [row["id"] for row in found] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "ending", [".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".parquet"]
)
@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet", ".txt"])
def test_every_format_is_written(
    source: str, ending: str, model: Classifier, tmp_path: Path
) -> None:
    texts = [text.replace("\n", " ") for text in TEXTS[:3]]
    target = tmp_path / f"out{ending}"
    summary = predict_file(model, save(tmp_path / f"in{source}", texts), target)
    assert (summary.predicted, summary.bad) == (3, 0)
    found = read(target)
    assert [row["text"] for row in found] == texts
    assert [row["label"] for row in found] == LABELS[:3]
    if ".jsonl" not in ending:
        assert list(found[0])[-4:] == [
            "label",
            "probability_anger",
            "probability_fear",
            "probability_joy",
        ]
        assert float(found[0]["probability_joy"]) > 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"in{source}",
        f"out{ending}",
    ]


def test_parquet_keeps_its_types(model: Classifier, tmp_path: Path) -> None:
    when = pyarrow.array([1_700_000_000_000_000_001, None], pyarrow.timestamp("ns"))
    table = pyarrow.table(
        {
            "when": when,
            "price": pyarrow.array([Decimal("1.50"), None]),
            "tags": pyarrow.array([["a", "b"], []]),
            "kind": pyarrow.array(["x", "y"]).dictionary_encode(),
            "number": pyarrow.array([1.5, float("nan")]),
            "text": pyarrow.array(["a lovely gift", "dark"]),
        }
    )
    source = tmp_path / "in.parquet"
    parquet.write_table(table, source, row_group_size=1)
    predict_file(model, source, tmp_path / "out.parquet")
    found = parquet.read_table(tmp_path / "out.parquet")
    kept = found.select(table.column_names)
    assert kept.drop(["number"]).equals(table.drop(["number"]))
    assert kept.schema.equals(table.schema)
    assert found["label"].to_pylist() == ["joy", "fear"]
    assert found.schema.field("probability_joy").type == pyarrow.float32()
    # JSON has neither dates nor NaN.
    predict_file(model, source, tmp_path / "out.jsonl")
    first, second = read(tmp_path / "out.jsonl")
    assert first["when"].startswith("2023-11-14T22:13:20")
    assert (first["price"], first["tags"], second["number"]) == (
        "1.50",
        ["a", "b"],
        None,
    )
    predict_file(model, source, tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[0]["tags"] == '["a", "b"]'


def test_objects_with_different_keys(model: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    rows = [
        {"text": "a gift", "n": 1, "of": {"who": "A"}, "day": None, "ok": True},
        {"n": 2.5, "text": "dark\ud800"},
    ]
    source.write_text("\n".join(map(json.dumps, rows)))
    for ending in (".csv", ".jsonl", ".parquet"):
        predict_file(model, source, tmp_path / f"out{ending}")
    assert read(tmp_path / "out.jsonl")[1]["text"] == "dark\ud800"
    assert "of" not in read(tmp_path / "out.jsonl")[1]
    first, second = read(tmp_path / "out.csv")
    assert (first["of"], first["ok"], first["day"]) == ('{"who": "A"}', "true", "")
    assert (second["text"], second["n"], second["of"]) == ("dark\ufffd", "2.5", "")
    first, second = read(tmp_path / "out.parquet")
    assert (first["of"], first["n"], second["day"]) == ({"who": "A"}, 1.0, None)
    assert second["text"] == "dark\ufffd"


@pytest.mark.parametrize(
    ("ending", "row", "match"),
    [
        (
            ".csv",
            {"text": "x", "new": 1},
            r"line 3001: the key 'new' is new here.*jsonl",
        ),
        (".parquet", {"text": "x", "new": 1}, r"line 3001: the key 'new' is new here"),
        (".parquet", {"text": "x", "n": "a"}, r"line 3001: 'n' is 'a'.*type int64"),
        (
            ".jsonl",
            {"text": "x", "label": 1},
            r"line 3001 has a column 'label' already",
        ),
    ],
)
def test_an_object_that_does_not_fit_is_an_error(
    ending: str, row: dict[str, Any], match: str, model: Classifier, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    lines = [json.dumps({"text": "dark", "n": 1})] * 3000 + [json.dumps(row)]
    source.write_text("\n".join(lines))
    with pytest.raises(DataError, match=match):
        predict_file(model, source, tmp_path / f"out{ending}")
    assert list(tmp_path.iterdir()) == [source]


def test_tabs_and_line_breaks_in_tsv_are_errors(
    model: Classifier, tmp_path: Path
) -> None:
    source = save(tmp_path / "in.csv", TEXTS)
    with pytest.raises(
        DataError, match=r"in.csv, line 3: a tab or a line break.*csv or"
    ):
        predict_file(model, source, tmp_path / "out.tsv")


@pytest.mark.parametrize("source_ending", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_labelled_file_keeps_its_columns(
    source_ending: str,
    ending: str,
    model: Classifier,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, target = tmp_path / f"in{source_ending}", tmp_path / f"out{ending}"
    given = {"label": "anger", "text": "dark", "id": "7"}
    if source_ending == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist([given]), source)
    elif source_ending == ".jsonl":
        source.write_text(json.dumps(given))
    else:
        cells = zip(given, given.values(), strict=True)
        separator = "," if source_ending == ".csv" else "\t"
        source.write_text("\n".join(map(separator.join, zip(*cells, strict=True))))
    with caplog.at_level("INFO", "emoclf"):
        predict_file(model, source, target)
    (row,) = read(target)
    names = [f"predicted_probability_{name}" for name in model.label_names]
    if ending == ".jsonl":
        names = ["predicted_probabilities"]
    assert list(row) == [*given, "predicted_label", *names]
    assert {name: row[name] for name in given} == given
    assert row["predicted_label"] == "fear"
    (message,) = caplog.messages
    assert message.startswith(f"{source} has a column 'label', so the predictions are")
    assert f"'predicted_label' and '{names[0][:21]}" in message


def test_new_columns_get_a_prefix_only_where_names_clash(
    model: Classifier, tmp_path: Path, predict_rows: Any, caplog: Any
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    caplog.set_level("INFO", "emoclf")
    # JSON has no column for each probability.
    source.write_text("text,emotion,probability_joy\ndark,joy,1\n")
    (row,) = predict_rows(source)
    assert list(row)[3:] == ["label", "probabilities"]
    assert not caplog.messages
    predict_file(model, source, target)
    (row,) = read(target)
    assert list(row)[:4] == ["text", "emotion", "probability_joy", "predicted_label"]
    assert row["probability_joy"] == "1"
    assert len(caplog.messages) == 1
    (row,) = predict_rows(source, prefix="my_")
    assert list(row)[3:] == ["my_label", "my_probabilities"]
    # A file that is predicted again, and again.
    predict_file(model, target, tmp_path / "new.csv", prefix="new_predicted_")
    match = r"a column 'predicted_label' already.*prefix='new_predicted_'"
    with pytest.raises(DataError, match=match):
        predict_file(model, target, tmp_path / "again.csv")
    for prefix in ("predicted_", ""):
        with pytest.raises(DataError, match=r"new.csv has a column"):
            predict_file(model, tmp_path / "new.csv", tmp_path / "x.csv", prefix=prefix)
    source.write_text("text,a,a\ndark,1,2\n")
    with pytest.raises(DataError, match=r"has 2 columns 'a'. Rename one"):
        predict_rows(source)


def test_multilabel(tmp_path: Path) -> None:
    bundle = tiny_trained().bundle
    matrix = bundle.model.get_layer("embedding").get_weights()[0]
    settings = tiny_settings()
    network = build_model(settings, n_classes=3, multilabel=True, matrix=matrix)
    predictor = Predictor(
        replace(
            bundle,
            model=network,
            multilabel=True,
            thresholds=(0.0, 0.0, 1.0),
            label_names=("a", "b,c", "d"),
        )
    )
    source = save(tmp_path / "in.csv", ["dark", "lovely"])
    for ending in (".csv", ".jsonl", ".parquet"):
        predict_file(predictor, source, tmp_path / f"out{ending}")
        (row, _) = read(tmp_path / f"out{ending}")
        # A comma cannot part names of which one has a comma.
        assert row["labels"] == ("a;b,c" if ending == ".csv" else ["a", "b,c"])
        assert "label" not in row
    stream = io.StringIO()
    predict_file(predictor, source, stream)
    assert stream.getvalue().startswith("a,b,c\t0.")
    # The result of a labelled file can be read and predicted again.
    source.write_text("text,Emotion\ndark,a\nlovely,d\n")
    predict_file(predictor, source, tmp_path / "new.csv")
    (row, _) = read(tmp_path / "new.csv")
    assert list(row)[2:4] == ["predicted_labels", "predicted_probability_a"]
    assert read_dataset(tmp_path / "new.csv").labels == ("a", "d")
    predict_file(predictor, source, tmp_path / "plain.csv", prefix="")
    assert list(read(tmp_path / "plain.csv")[0])[2] == "labels"


def test_texts_without_words_are_counted(
    model: Classifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": ""}\n{"text": "lovely"}\n{"text": " \\t"}\n')
    predict_file(model, source, tmp_path / "out.csv")
    assert "2 texts without words" in caplog.text
    caplog.clear()
    predict_file(model, source, tmp_path / "out2.csv", abstain_below=0.01)
    assert "without words" not in caplog.text


def test_odd_texts_are_unchanged(model: Classifier, tmp_path: Path) -> None:
    texts = [
        "word " * 20_000,
        "a\0b",
        "wind\x85 and \u2028 separators",
        "\ufeff",
        "line\r\nends\rof\nall kinds",
        " \t ",
        "=1+1",
        "\\N",
        "\U0001f600",
    ]
    for ending in (".csv", ".jsonl", ".parquet"):
        source = save(tmp_path / f"in{ending}", texts)
        for written in (".csv", ".jsonl", ".parquet"):
            target = tmp_path / f"out{written}"
            predict_file(model, source, target, overwrite=True)
            again = tmp_path / "again.jsonl"
            predict_file(model, target, again, prefix="p_", overwrite=True)
            assert [row["text"] for row in read(again)] == texts, (ending, written)


def test_byte_order_mark_line_ends_and_encodings(
    tmp_path: Path, predict_rows: Any
) -> None:
    source = tmp_path / "in.csv"
    rows = 'id,text\r\n1,"déjà\r\nvu"\r\n\r\n2,x'
    for data, encoding in (
        (b"\xef\xbb\xbf" + rows.encode(), "utf-8"),
        (rows.encode("cp1252"), "cp1252"),
        (rows.encode("utf-16"), "utf-16"),
    ):
        source.write_bytes(data)
        found = predict_rows(source, encoding=encoding)
        assert [row["text"] for row in found] == ["déjà\r\nvu", "x"]
        assert [row["id"] for row in found] == ["1", "2"]
    with pytest.raises(DataError, match=r"looks like utf-16. Set encoding='utf-16'"):
        predict_rows(source)
    source.write_bytes(rows.encode("utf-16")[:-1])
    with pytest.raises(DataError, match=r"in.csv is not utf-16 .*Save it as UTF-8"):
        predict_rows(source, encoding="utf-16")
    with pytest.raises(SettingsError, match=r"no encoding 'utf-9'"):
        predict_rows(source, encoding="utf-9")


def test_plain_lines_are_unchanged(tmp_path: Path, predict_rows: Any) -> None:
    file = tmp_path / "lines.txt"
    lines = ["first", "", "wind\x85 and \u2028 separators", "x" * 600_000, "last"]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\xff")
    assert [row["text"] for row in predict_rows(file)] == [*lines[:-1], "last\ufffd"]


def test_columns_are_named_counted_or_found(tmp_path: Path, predict_rows: Any) -> None:
    source = tmp_path / "in.csv"
    source.write_text("1,dark night\n2,lovely\n")
    with pytest.raises(
        DataError, match=r"no column with a usual name.*header=False, text_column='2'"
    ):
        predict_rows(source)
    assert predict_rows(source, text_column="2")[0] == {
        "1": "1",
        "2": "dark night",
        **{
            k: v
            for k, v in predict_rows(source, text_column="2")[0].items()
            if len(k) > 1
        },
    }
    source.write_text("review;stars\ndark;1\n")
    assert predict_rows(source)[0]["stars"] == "1"
    source.write_text("review;stars\ndark;1;2\n")
    with pytest.raises(
        DataError, match=r"separated by semicolons: set separator='semicolon'"
    ):
        predict_rows(source)
    source.write_text("review,text\ndark,lovely\n")
    with pytest.raises(
        DataError, match=r"2 columns that may contain.*with text_column"
    ):
        predict_rows(source)
    assert predict_rows(source, text_column="review")[0]["label"] == "fear"
    with pytest.raises(DataError, match=r"no column 'reviev'. Did you mean 'review'"):
        predict_rows(source, text_column="reviev")


def test_files_of_another_format_are_errors(
    model: Classifier, tmp_path: Path, predict_rows: Any
) -> None:
    packed = tmp_path / "in.jsonl"
    packed.write_bytes(gzip.compress(b'{"text": "dark"}'))
    with pytest.raises(
        DataError, match=r"compressed with gzip. Rename it to in.jsonl.gz"
    ):
        predict_rows(packed)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"text\ndark\n" * 99)[:-9])
    with pytest.raises(DataError, match="cut off or damaged"):
        predict_rows(cut)
    array = tmp_path / "in.json"
    array.write_text('[{"text": "dark"}]')
    with pytest.raises(
        DataError, match=r"ends in .xml, which cannot be read. Save it as"
    ):
        predict_rows(Path(shutil.copy(array, tmp_path / "in.xml")))
    with pytest.raises(DataError, match=r"line 1: a record must be an object.*list"):
        predict_rows(array, format="jsonl")
    with pytest.raises(
        SettingsError, match=r"format must be one of lines, csv.*'jsonl'"
    ):
        predict_rows(array, format="jsnl")
    (tmp_path / "in.parquet").write_text("text\n")
    with pytest.raises(DataError, match=r"in.parquet is not a valid Parquet file"):
        predict_rows(tmp_path / "in.parquet")
    with pytest.raises(
        DataError, match=r"no file .*cut.csv. Did you mean 'cut.csv.gz'"
    ):
        predict_rows(tmp_path / "cut.csv")


def test_empty_input(model: Classifier, tmp_path: Path, predict_rows: Any) -> None:
    for ending in (".txt", ".jsonl"):
        empty = tmp_path / f"in{ending}"
        empty.touch()
        assert predict_rows(empty) == []
    (tmp_path / "in.csv").touch()
    with pytest.raises(
        DataError, match=r"in.csv is empty: it does not even have column names"
    ):
        predict_rows(tmp_path / "in.csv")
    source = tmp_path / "names.csv"
    source.write_text("id,text\n")
    target = tmp_path / "out.csv"
    assert predict_file(model, source, target) == (0, 0)
    assert target.read_text() == (
        "id,text,label,probability_anger,probability_fear,probability_joy\n"
    )
    predict_file(model, source, tmp_path / "out.parquet")
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 0
    assert predict_rows(tmp_path / "out.parquet", prefix="p_") == []


def test_dates_are_written(model: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    table = pyarrow.table({"day": [datetime.date(2026, 1, 2)], "text": ["x"]})
    parquet.write_table(table.append_column("raw", [[b"\xff"]]), source)
    predict_file(model, source, tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[0]["day"] == "2026-01-02"
    with pytest.raises(
        DataError, match=r"row 1: bytes b'\\xff' cannot be written as JSON"
    ):
        predict_file(model, source, tmp_path / "out.jsonl")


def nested(levels: int, *, objects: bool = False) -> str:
    begin, end = ('{"a": ', "}") if objects else ("[", "]")
    return begin * levels + "1" + end * levels


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "jsonl"])
def test_rows_that_one_format_cannot_hold(
    model: Classifier, tmp_path: Path, ending: str
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / f"out.{ending}"
    lines = '{"text": "a \\ud800", "k\\udc00": {"\\ud800": "\\udfff"}}\n{"text": "b"}\n'
    source.write_text(lines)
    assert predict_file(model, source, out) == (2, 0)
    for value, is_held in (
        (nested(49), True),
        (nested(98, objects=True), True),
        (nested(50), False),
        (nested(99, objects=True), False),
        (nested(800), False),
    ):
        source.write_text(f'{{"text": "b", "more": {value}}}\n')
        if ending != "parquet" or is_held:
            assert predict_file(model, source, out, overwrite=True) == (1, 0)
        else:
            with pytest.raises(DataError, match=r"line 1: 'more' has \d+ levels"):
                predict_file(model, source, out, overwrite=True)
    if ending == "parquet":
        pyarrow.parquet.read_table(out)


def test_a_text_that_is_nested_deeply(model: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(f'{{"text": {nested(800)}}}\n')
    with pytest.raises(DataError, match=r"line 1: the text must be a string"):
        predict_file(model, source, tmp_path / "out.csv")
