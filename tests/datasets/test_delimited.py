"""Tests of emoclf.datasets.delimited, separators and columns: headers and quotes.

What is recognised is certain, and an error names the setting that decides the rest.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.datasets.readers import read_dataset
from emoclf.errors import DataError, SettingsError
from emoclf.settings import DataSettings

NEWS = [("3", "a bank opened"), ("4", "a probe left"), ("3", "a shop closed")]
TEXTS = ('She said "no" twice', "All fine", "one\ttwo", "two\nlines", "All, all lost")
LABELS = ("bad", "good", "bad", "good", "bad")


def read(path: Path, text: str, **settings: object) -> tuple[str, ...]:
    path.write_bytes(text.encode())
    return read_dataset(path, DataSettings(**settings)).texts


COUNTED = {"text_column": "2", "label_column": "1"}


@pytest.mark.parametrize("first", ["1", "3"])
def test_columns_are_counted_if_one_number_is_no_cell(
    tmp_path: Path, first: str
) -> None:
    rows = [(first, "a bank opened"), *NEWS]
    text = "".join(f'"{label}","{text}"\n' for label, text in rows)
    assert len(read(tmp_path / "d.csv", text, **COUNTED)) == 4


@pytest.mark.parametrize("header", ["0,1", "1,2"])
def test_numbers_in_order_are_the_names_that_pandas_wrote(
    tmp_path: Path, header: str
) -> None:
    label, text = header.split(",")
    settings = {"text_column": text, "label_column": label}
    content = f"{header}\njoy,fine\nanger,bad\n"
    assert read(tmp_path / "d.csv", content, **settings) == ("fine", "bad")


def test_a_number_that_may_be_a_name_or_a_position_is_an_error(tmp_path: Path) -> None:
    path, text = tmp_path / "d.csv", "2,1,they came\n1,2,nobody came\n1,1,a day\n"
    match = r"'2' and '1' may be the names or the position.* header=True .*header=False"
    with pytest.raises(DataError, match=match):
        read(path, text, **COUNTED)
    settings = {"text_column": "3", "label_column": "1"}
    assert len(read(path, text, **settings)) == 3
    assert len(read(path, text, header=False, **settings)) == 3
    by_name = {"text_column": "they came", "label_column": "2"}
    assert read(path, text, header=True, **by_name) == ("nobody came", "a day")
    with pytest.raises(DataError, match=r"no column 'they came'. Its columns: '1'"):
        read(path, text, header=False, **by_name)


@pytest.mark.slow
def test_prediction_counts_or_refuses(tmp_path: Path) -> None:
    model, path = tiny_folded(tmp_path / "exports"), tmp_path / "in.csv"
    path.write_text('"2","they came"\n"1","nobody came"\n')
    out = tmp_path / "out.csv"
    with pytest.raises(DataError, match=r"'2' may be the name or the position"):
        predict_file(model, path, out, text_column="2")
    assert predict_file(model, path, out, text_column="2", header=False) == (2, 0)
    path.write_text("a;lovely;gift\nalone;in;the dark\n")
    options = {"separator": "semicolon", "header": False, "text_column": "3"}
    assert predict_file(model, path, out, overwrite=True, **options) == (2, 0)
    other = path.rename(tmp_path / "in.txt")
    assert predict_file(model, other, out, overwrite=True, **options) == (2, 0)
    assert predict_file(model, other, out, overwrite=True) == (2, 0)
    assert out.read_text().splitlines()[1].startswith("a;lovely;gift,")


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
@pytest.mark.parametrize("separator", [";", "|", "\t", ","])
def test_separators_are_recognised(tmp_path: Path, ending: str, separator: str) -> None:
    path = tmp_path / f"d.{ending}"
    frame = pd.DataFrame({"text": TEXTS, "label": LABELS})
    frame.to_csv(path, sep=separator, index=False)
    assert read_dataset(path).texts == TEXTS
    named = DataSettings(separator=separator, format="csv")
    assert read_dataset(path, named).texts == TEXTS


def test_a_list_of_texts_and_labels_without_header(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    rows = (
        "i feel, fine;joy\ni feel, well, low;sadness\nit isn't \"so;joy\nno;sadness\n"
    )
    match = (
        r"Its columns: 'i feel, fine', 'joy'.*count the columns: header=False, "
        r"text_column='1', label_column='2'"
    )
    with pytest.raises(DataError, match=match):
        read(path, rows.replace('"', ""))
    settings = {"header": False, "text_column": "1", "label_column": "2"}
    assert read(path, rows.replace('"', ""), **settings)[0] == "i feel, fine"
    assert read(path, rows, quoting="none", **settings)[2] == "it isn't \"so"


def test_a_separator_that_is_not_certain(tmp_path: Path) -> None:
    path = tmp_path / "d.txt"
    with pytest.raises(
        DataError, match=r"d.txt ends in none.*name its format.*its separator"
    ):
        read(path, "a,b;c\nd,e;f\n")
    every_text_has_a_comma = "i feel, fine;joy\nwell, no;sadness\n"
    settings = {"header": False, "text_column": "1", "label_column": "2"}
    assert read(path, every_text_has_a_comma, **settings)[1] == "well, no"
    # Commas keep cutting a CSV file whose rows another separator would cut as well.
    text = "text,label\na;b,x;\nc;d,x;\n"
    assert read(tmp_path / "d.csv", text) == ("a;b", "c;d")
    with pytest.raises(SettingsError, match=r"separator must be one character.*'::'"):
        read(path, "a::b\n", separator="::")
    for word in ("tab", r"\t", "\t"):
        text = "text\tlabel\na\tx\nb\tx\n"
        assert read(path, text, separator=word) == ("a", "b")


@pytest.mark.slow
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_tsv_that_pandas_wrote_has_quoting(tmp_path: Path, quoting: int) -> None:
    path = tmp_path / "d.tsv"
    frame = pd.DataFrame({"text": TEXTS, "label": LABELS})
    frame.to_csv(path, sep="\t", index=False, quoting=quoting)
    assert read_dataset(path).texts == TEXTS
    one_line = frame[[("\n" not in x) and ("\t" not in x) for x in TEXTS]]
    one_line.to_csv(path, sep="\t", index=False)
    assert read_dataset(path).texts[0] == TEXTS[0]
    raw = DataSettings(quoting="none")
    assert read_dataset(path, raw).texts[0] == '"She said ""no"" twice"'
    out = tmp_path / "out.jsonl"
    model = tiny_folded(tmp_path / "exports")
    predict_file(model, path, out, prefix="p_")
    assert '"She said \\"no\\" twice"' in out.read_text()


RAW = {
    '"Oh no, not again': "an unclosed quote",
    '"Never" again': "quotes around a word",
    'so "good"': "quotes within",
    '"a whole quotation"': "quotes that nothing needs",
    '"he said "no""': "quotes that are not doubled",
}


@pytest.mark.parametrize("text", RAW)
def test_quotes_that_do_not_fit_are_quotes(tmp_path: Path, text: str) -> None:
    rows = f'text\tlabel\n{text}\tbad\nfine\tgood\n""so"" and\tgood\n'
    assert read(tmp_path / "d.tsv", rows)[0] == text


def test_columns_are_counted_only_if_the_first_row_may_be_a_text(
    tmp_path: Path,
) -> None:
    path = tmp_path / "d.csv"
    for row, settings in (
        ("Text,label", {"text_column": "Tetx"}),
        ("Text,label", {"text_column": "review"}),
        ("remark,stars", {"text_column": "remarks", "label_column": "stars"}),
        ("remark,stars", {"text_column": "remark"}),
        ("remark,stars", {"header": True}),
        ("one column", {}),
    ):
        with pytest.raises(DataError, match="Its columns") as error:
            read(path, f"{row}\nfine,good\nbad,bad\n", **settings)
        assert "count the columns" not in str(error.value)
    with pytest.raises(DataError, match=r"Did you mean 'Text'\? Its columns: .*'\.$"):
        read(path, "Text,label\nfine,good\n", text_column="Tetx")
