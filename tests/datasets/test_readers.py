"""Good files are read, and errors name the line of what is wrong.

Tests of emoclf.datasets: readers, source, delimited, json_lines, parquet, encodings,
data_files, columns, cells and rows.
"""

import csv
import gzip
import json

import pandas as pd
import pytest

from emoclf.datasets.readers import read_dataset
from emoclf.errors import DataError, SettingsError
from emoclf.settings import DataSettings

ROWS = [
    ("So happy, at last", "joy"),
    ("null", "anger"),
    ("NA", "anger"),
    ("two\nlines \x85 here", "joy"),
]


def write(path, text, encoding="utf-8"):
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.fixture
def save(tmp_path):
    return lambda text, name="data.csv", encoding="utf-8": write(
        tmp_path / name, text, encoding
    )


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "ndjson", "parquet"])
def test_every_format_gives_the_same_texts(tmp_path, ending, gz):
    path = tmp_path / f"data.{ending}{gz}"
    frame = pd.DataFrame(ROWS, columns=["text", "label"])
    if ending == "csv":
        frame.to_csv(path, index=False)
    elif ending == "parquet":
        frame.to_parquet(tmp_path / "data.parquet")
        if gz:
            path.write_bytes(gzip.compress((tmp_path / "data.parquet").read_bytes()))
    else:
        frame.to_json(path, orient="records", lines=True)
    data = read_dataset(path)
    assert data.texts == tuple(text for text, _ in ROWS)
    assert data.labels == ("joy", "anger", "anger", "joy")
    assert data.label_names == ("anger", "joy")
    assert data.source == str(path)
    assert data.unit == ("row" if ending == "parquet" else "line")
    first = 2 if ending == "csv" else 1
    assert data.lines == tuple(range(first, first + 4))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_of_tsv_may_be_texts(save, end):
    rows = ["text\tlabel", '"Stop", he said\tanger', "", 'a "b\tjoy', ""]
    data = read_dataset(save(end.join(rows), "data.tsv"))
    assert data.texts == ('"Stop", he said', 'a "b')
    assert data.lines == (2, 4)


def test_columns_by_number_in_a_file_without_header(save):
    path = save("fine day\t17,27\tx1\nbad day\t2\tx2\n", "train.tsv")
    settings = DataSettings(
        text_column="1",
        label_column="2",
        label_separator=",",
        label_names={"2": "anger", "17": "joy", "27": "neutral"},
    )
    data = read_dataset(path, settings)
    assert data.multilabel
    assert data.labels == (("joy", "neutral"), ("anger",))
    assert data.label_names == ("anger", "joy", "neutral")
    assert data.label_ids.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert data.lines == (1, 2)
    with pytest.raises(DataError, match=r"has no column '4'.* Its columns: '1', '2'"):
        read_dataset(path, DataSettings(text_column="4", label_column="2"))


def test_a_column_whose_name_is_a_number(save):
    path = save("1,2\njoy,fine\nanger,bad\n")
    data = read_dataset(path, DataSettings(text_column="2", label_column="1"))
    assert data.texts == ("fine", "bad")


@pytest.mark.parametrize(
    "header", ["text,label", "Sentence, Emotion", "id,tweet,sentiment", "review,class"]
)
def test_usual_names_are_found(save, header):
    cells = ["x"] * (header.count(",") - 1)
    rows = [",".join([*cells, f"text {i}", "ab"[i % 2]]) for i in range(4)]
    data = read_dataset(save("\n".join([header, *rows])))
    assert data.texts[0] == "text 0"
    assert data.label_names == ("a", "b")


def test_byte_order_mark_and_other_encodings(save):
    text = "text,label\ndéjà vu,joy\nnaïve,anger\n"
    expected = ("déjà vu", "naïve")
    assert read_dataset(save(text, encoding="utf-8-sig")).texts == expected
    for encoding in ("cp1252", "utf-16", "utf-16-le", "gb18030"):
        path = save(text, encoding=encoding)
        assert read_dataset(path, DataSettings(encoding=encoding)).texts == expected


def test_nul_and_lone_surrogates_are_texts(save):
    assert read_dataset(save("text,label\na\0b,x\nc,y\n")).texts == ("a\0b", "c")
    lines = '{"text": "\\ud83d", "label": 1}\n{"text": "b", "label": 2.0}\n'
    data = read_dataset(save(lines, "d.jsonl"))
    assert data.texts[0] == "\ud83d"
    assert data.label_names == ("1", "2")


def test_lists_of_labels(save):
    rows = [["joy", "love"], [], ["anger"], ["joy", "joy"]]
    lines = [json.dumps({"text": "t", "labels": row}) for row in rows]
    data = read_dataset(save("\n".join(lines), "d.jsonl"))
    assert data.labels == (("joy", "love"), (), ("anger",), ("joy",))
    assert data.counts() == {"anger": 1, "joy": 2, "love": 1}
    lines.append(json.dumps({"text": "t", "labels": "joy"}))
    with pytest.raises(DataError, match=r"line 5: the label must be a list.*'joy'"):
        read_dataset(save("\n".join(lines), "d.jsonl"))


def test_a_separator_alone_means_no_label(save):
    path = save("text,label\na,x|y\nb,|\nc, x \n")
    data = read_dataset(path, DataSettings(label_separator="|"))
    assert data.labels == (("x", "y"), (), ("x",))


def test_numbers_get_names(save):
    path = save("text,label\na,0\nb,10\nc,2\nd,neg\n")
    settings = DataSettings(label_names={"0": "neg", "10": "pos", "2": "mixed"})
    data = read_dataset(path, settings)
    assert data.labels == ("neg", "pos", "mixed", "neg")
    assert data.label_names == ("neg", "pos", "mixed")
    plain = read_dataset(save("text,label\na,0\nb,10\nc,2\n"))
    assert plain.label_names == ("0", "2", "10")


def test_split_column(save):
    path = save("text,label,fold\na,x,train\nb,y,DEV\nc,x,test\n")
    settings = DataSettings(split_column="fold")
    assert read_dataset(path, settings).parts == ("train", "valid", "test")
    path = save("text,label,fold\na,x,train\nb,y,tset\n")
    match = r"line 3: the part 'tset' is not one of train.*Did you mean 'test'\?"
    with pytest.raises(DataError, match=match):
        read_dataset(path, settings)


def test_given_classes_are_the_only_ones(save):
    path = save("text,label\na,joy\nb,joi\n")
    match = (
        r"data.csv, line 3: label 'joi' is not one of anger, joy\. "
        r"Did you mean 'joy'\? Correct the row, or drop such rows"
    )
    with pytest.raises(DataError, match=match):
        read_dataset(path, label_names=["anger", "joy"])
    data = read_dataset(save("text,label\na,joy\n"), label_names=["joy", "anger"])
    assert data.label_names == ("joy", "anger")


BAD_ROWS = {
    "text,label\na,x\n  ,y\n": r"line 3: the text is empty: '  '",
    "text,label\na,x\nb,\n": r"line 3: the row has no label",
    "text,label\na,x\nb\n": r"line 3: 1 cell where the first line has 2",
    "text,label\na,x\nb, c,y\n": r"line 3: 3 cells where .*comma.*in quotes",
    'text,label\n"a\nb",x\n\n,y\n': r"line 5: the text is empty",
    "text,label\na,0\nb,1\nc,7\n": r"line 4: label '7' is not one of 0, 1, neg, pos",
}


@pytest.mark.parametrize("text", BAD_ROWS)
def test_a_bad_row_is_named_or_dropped_and_counted(save, text):
    names = {"0": "neg", "1": "pos"} if "7" in text else None
    with pytest.raises(DataError, match="data.csv, " + BAD_ROWS[text]):
        read_dataset(save(text), DataSettings(label_names=names))
    good = text + "g,x\nh,x\n" if names is None else text + "g,0\nh,1\n"
    settings = DataSettings(label_names=names, skip_bad_rows=True)
    data = read_dataset(save(good), settings)
    assert data.skipped == 1
    assert data.skips[0].first[0] in (3, 4, 5)


def test_dropped_rows_can_leave_single_labels_and_nothing(save):
    settings = DataSettings(skip_bad_rows=True)
    data = read_dataset(save("text,label\na,x\nb,x\nc,oops\n,x\n"), settings)
    assert data.counts() == {"x": 2}
    assert [(s.reason, s.count, s.first) for s in data.skips] == [
        ("empty text", 1, (5,)),
        ("a label that no other row has", 1, (4,)),
    ]
    with pytest.raises(DataError, match=r"no usable row \(2 with empty text dropped"):
        read_dataset(save("text,label\n,x\n,y\n"), settings)


QUOTES = {
    'text,label\na,x\n"b,y\nc,x\n': r"line 3: a quote opened here is never closed",
    'text,label\n"a,x\nb,y\n"c, d",x\n': r"line 2: .* is closed in line 4 only",
    'text,label\n"a" b,x\n': r"line 2: .* closed in the middle of a cell",
    'text,label\na,x\n"b,x\nc,x\n5",x\n': r"line 3: .*in line 5 only and swallows",
    'label,text\nx,a\nx,"b\nx,c 5"\n': r"line 3: .*in line 4 only and swallows rows",
    "text,label\ra,x\r": r"line 1: there is a carriage return",
    'text,label\na,x\n"b,x\nc,x\n5"\n': r"line 3: 1 cell .* It goes on to line 5",
}


@pytest.mark.parametrize("text", QUOTES)
def test_a_quote_that_swallows_lines(save, text):
    with pytest.raises(DataError, match="data.csv, " + QUOTES[text]):
        read_dataset(save(text))


def test_a_cell_beyond_the_limit_of_csv(save):
    path = save('text,label\n"a,x\n' + "b,x\n" * 40_000)
    assert csv.field_size_limit() == 131_072
    with pytest.raises(DataError, match=r"line 2: a cell has more than 131,072"):
        read_dataset(path)


def test_texts_of_several_lines_are_not_taken_for_swallowed_rows(save):
    text = 'text,label\n"Dear all,\nI am sad, really\nsad",x\nb,x\n"c\n\nd, x",y\n'
    data = read_dataset(save(text))
    assert data.lines == (2, 5, 6)
    assert data.texts[0] == "Dear all,\nI am sad, really\nsad"


HEADERS = {
    "txt,label\na,x\n": (
        {"text_column": "text"},
        r"has no column 'text'. Did you mean 'txt'\? Its columns: 'txt', 'label'",
    ),
    "TEXT,label\na,x\n": ({"text_column": "text"}, r"Did you mean 'TEXT'\?"),
    "text,sentence,label\na,b,x\n": (
        {},
        r"2 columns that may contain the texts: 'text', 'sentence'.*with text_column",
    ),
    "text,label,class\na,x,y\n": ({}, r"2 columns that may contain the labels"),
    "I am glad,joy\nb,x\n": ({}, r"no column with a usual name.*text_column='1'"),
    "one;two\n": ({}, r"separated by semicolons: set separator='semicolon'"),
    "text,text,label\na,b,x\n": ({"text_column": "text"}, r"2 columns 'text'"),
    "text,label\na,x \n": (
        {"text_column": "text", "label_column": "text"},
        r"must be in different columns",
    ),
    "a,x\nb,y\n": (
        {"text_column": "1", "label_column": "label"},
        r"no column '1'. Its columns: 'a', 'x'. If there is no header, count all",
    ),
    "text,label\n": ({}, r"has no rows"),
    "\n\n": ({}, r"is empty"),
}


@pytest.mark.parametrize("text", HEADERS)
def test_missing_and_ambiguous_columns_are_errors(save, text):
    options, match = HEADERS[text]
    with pytest.raises(DataError, match=match):
        read_dataset(save(text), DataSettings(**options))


def test_a_named_column_ends_the_ambiguity(save):
    path = save("text,sentence,label\na,b,x\nc,d,y\n")
    assert read_dataset(path, DataSettings(text_column="sentence")).texts == ("b", "d")


JSON = {
    '{"text": "a", "label": "x"}\n{"text": "b", "label": }\n': r"line 2: column 24: th",
    '{"text": "a", "label": "x"}\n[1]\n': r"line 2: a record must be an object.*list",
    '{"text": "a", "label": "x"}\n{"text": "b", "lable": "x"}\n': (
        r"line 2: the object has no 'label'. Did you mean 'lable'\?"
    ),
    '{"text": "a", "label": "x"}\n{"text": 5, "label": "x"}\n': r"line 2: .*Got 5 ",
    '{"text": null, "label": "x"}\n': r"line 1: the text is missing",
    '{"text": "a", "label": {}}\n': r"line 1: a label must be a text.*dict",
    '{"text": "a", "label": ["x", ""]}\n': r"line 1: the list of labels .* empty",
    '{"text": "a", "label": "x"}\n{"text": "a", "label": ["x"]}\n': r"2: .* one label",
    '[{"text": "a", "label": "x"},\n{"text": "b"}]\n': r"line 1: .*one object per line",
    "[" * 100_000 + "\n": r"line 1: this is not JSON",
    "\n": r"line 1: there is no object",
}


@pytest.mark.parametrize("text", JSON, ids=range(len(JSON)))
def test_wrong_json_lines_are_errors(save, text):
    with pytest.raises(DataError, match=JSON[text]):
        read_dataset(save(text, "d.jsonl"))


ENCODINGS = {
    "cp1252": r"line 3, byte 18: this is not utf-8 \(0xe9.*encoding='cp1252'",
    "utf-16": r"line 1, byte 0: .*looks like utf-16\. Set encoding='utf-16'",
    "utf-16-le": r"looks like utf-16-le",
    "utf-32": r"looks like utf-32",
}


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_wrong_encoding_names_the_byte_and_another(save, encoding, gz):
    path = save("text,label\nok,joy\nété très,joy\n", f"data.csv{gz}", encoding)
    with pytest.raises(DataError, match=ENCODINGS[encoding]):
        read_dataset(path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("非常好,非常快。味道不错", "gb18030"), ("очень хорошо, спасибо", "cp1251")],
)
def test_the_encoding_of_other_scripts_is_suggested(save, text, encoding):
    path = save(f'text,label\n"{text}",joy\n' * 3, encoding=encoding)
    with pytest.raises(DataError, match=f"It may be {encoding}"):
        read_dataset(path)


def test_a_wrong_byte_far_into_the_file(save, tmp_path):
    row = "schön,joy\n".encode()
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\n" + row * 5000 + b"\xff,joy\n")
    with pytest.raises(DataError, match=rf"line 5002, byte {11 + len(row) * 5000}:"):
        read_dataset(path)
    with pytest.raises(SettingsError, match=r"no encoding 'utf-9'. Did you mean 'utf-"):
        read_dataset(path, DataSettings(encoding="utf-9"))
    with pytest.raises(SettingsError, match="no encoding 'rot13'"):
        read_dataset(path, DataSettings(encoding="rot13"))


def test_missing_files_and_folders_are_errors(tmp_path, save):
    save("text,label\na,x\n", "train.csv")
    with pytest.raises(
        DataError, match=r"no file .*trian.csv. Did you mean 'train.csv"
    ):
        read_dataset(tmp_path / "trian.csv")
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        read_dataset(tmp_path / ("a" * 5000 + ".csv"))
    with pytest.raises(DataError, match="is a directory"):
        read_dataset(tmp_path)
    with pytest.raises(DataError, match=r"ends in none of .csv, .tsv, .jsonl"):
        read_dataset(save("x", "data.xlsx"))
    with pytest.raises(DataError, match=r"data.csv is empty"):
        read_dataset(save(""))
    with pytest.raises(DataError, match=r"data.csv.gz is empty"):
        read_dataset(save("", "data.csv.gz"))


@pytest.mark.parametrize("name", ["d.csv.gz", "d.jsonl.gz", "d.parquet.gz"])
def test_damaged_gzip_files_are_errors(tmp_path, name):
    path = tmp_path / name
    row = b'{"text": "a", "label": "b"}' if "json" in name else b"text,label"
    whole = gzip.compress((row + b"\n") * 10_000)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"is cut off or damaged"):
        read_dataset(path)
    path.write_bytes(b"text,label\n")
    with pytest.raises(DataError, match=r"not a valid gzip file"):
        read_dataset(path)
    plain = tmp_path / "d.csv"
    plain.write_bytes(whole)
    with pytest.raises(DataError, match=r"compressed with gzip. Rename it to d.csv.gz"):
        read_dataset(plain)


def test_wrong_parquet_files_are_errors(tmp_path):
    path = tmp_path / "d.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"not a valid Parquet file"):
        read_dataset(path)
    pd.DataFrame({"text": ["a", None], "label": [1.0, 2.0]}).to_parquet(path)
    with pytest.raises(DataError, match=r"d.parquet, row 2: the text is missing"):
        read_dataset(path)
    pd.DataFrame({"text": ["a", "b"], "label": [1.0, 2.0]}).to_parquet(path)
    assert read_dataset(path).labels == ("1", "2")


def test_parquet_with_lists_and_categories(tmp_path):
    path = tmp_path / "d.parquet"
    frame = pd.DataFrame({"text": ["a", "b"], "label": pd.Categorical(["x", "y"])})
    frame.to_parquet(path)
    assert read_dataset(path).labels == ("x", "y")
    pd.DataFrame({"text": ["a", "b"], "label": [["x"], ["x", "y"]]}).to_parquet(path)
    assert read_dataset(path).labels == (("x",), ("x", "y"))
