"""Labels are called the same at every door, and several come in many forms.

Tests of emoclf.datasets.labels and emoclf.datasets.label_reader.
"""

import json
import logging

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from emoclf.datasets.cells import BadRow
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.labels import written_list
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.trainable import as_dataset, from_lists
from emoclf.errors import DataError
from emoclf.settings import DataSettings

TEXTS = ["a", "b", "c", "d"]
ROWS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
NAMES = ["joy", "love", "fear"]
NAMED = (("joy",), ("love",), ("joy", "love"), ("fear",))


@pytest.mark.parametrize("kind", [bool, int, float, "int8", "Int64", "boolean"])
def test_a_table_has_the_same_labels_in_every_file(tmp_path, kind):
    frame = pd.DataFrame({"text": TEXTS, "label": pd.Series([1, 0, 1, 0]).astype(kind)})
    direct = Dataset.from_frame(frame).labels
    assert direct == Dataset.from_lists(TEXTS, frame["label"]).labels
    assert set(direct) in ({"0", "1"}, {"false", "true"})
    frame.to_json(tmp_path / "d.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "d.parquet")
    frame.to_csv(tmp_path / "d.csv", index=False)
    assert read_dataset(tmp_path / "d.parquet").labels == direct
    # pandas writes 1.0 as it likes: the classes are what is the same.
    for name in ("d.jsonl", "d.csv"):
        data = read_dataset(tmp_path / name, label_names=sorted(set(direct)))
        assert data.labels == direct


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["0", "0.0", "1", "1.0"], ("0", "1")),
        ([0, 0.0, "1", "1.00"], ("0", "1")),
        (["True", True, "False", "FALSE"], ("false", "true")),
        (["1.0", "2.0", "1.0", "2.0"], ("1.0", "2.0")),
        (["True", "False", "True", "False"], ("False", "True")),
        (["1.1", "1.10", "01", "1"], ("01", "1", "1.1", "1.10")),
    ],
)
def test_two_spellings_of_a_number_are_one_class(labels, names):
    assert Dataset.from_lists(TEXTS, labels).label_names == names


@pytest.mark.parametrize(
    "names", [["False", "True"], {"False": "no", True: "yes"}, {False: "no", 1.0: "x"}]
)
def test_given_classes_are_met_in_any_spelling(names):
    labels = ["false", False, np.False_, "False"]
    data = Dataset.from_lists(TEXTS, labels, label_names=names)
    assert set(data.labels) == {"no" if isinstance(names, dict) else "False"}


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        ROWS.astype(float),
        ROWS > 0,
        ROWS.tolist(),
        list(ROWS),
        csr_matrix(ROWS),
        [str(row) for row in ROWS],
        [str(row.tolist()) for row in ROWS],
        [list(map(str, row)) for row in ROWS.tolist()],
    ],
    ids=str,
)
def test_a_matrix_needs_the_names_of_its_columns(rows, caplog):
    with pytest.raises(DataError, match=r"label_names must name these 3 columns.*argm"):
        Dataset.from_lists(TEXTS, rows)
    with pytest.raises(DataError, match=r"it has 2 names, joy, love"):
        Dataset.from_lists(TEXTS, rows, label_names=["joy", "love"])
    with caplog.at_level(logging.INFO, "emoclf"):
        data = Dataset.from_lists(TEXTS, rows, label_names=NAMES)
    assert data.labels == NAMED
    assert data.label_names == tuple(NAMES)
    assert "a 0 or a 1 for each of joy, love, fear" in caplog.text
    mapping = {"1": "love", "0": "joy", "2": "fear"}
    assert Dataset.from_lists(TEXTS, rows, label_names=mapping).labels == NAMED


@pytest.mark.parametrize("odd", [[], [1, 0], [0, 2, 0], ["joy"]], ids=str)
def test_all_rows_are_rows_of_0_and_1_or_none(odd):
    rows = [*ROWS.tolist(), odd]
    with pytest.raises(DataError, match=r"zeros and ones, .* and others are not"):
        Dataset.from_lists([*TEXTS, "x"], rows)
    lines = [{"text": "a", "label": row} for row in (*rows[:-1], [0, 1, None])]
    data = [row["label"] for row in lines]
    names = {"skip_bad_rows": True, "label_names": NAMES}
    assert Dataset.from_lists([*TEXTS, "x"], data, **names).labels == NAMED


def test_classes_of_a_classifier_are_met_in_any_spelling():
    frame = pd.DataFrame({"text": ["a", "b"], "label": [True, False]})
    data = as_dataset(frame, label_names=("False", "True"))
    assert data.labels == ("True", "False")
    several = Dataset.from_lists(["a", "b"], [[1.0, 2], [2]])
    assert as_dataset(several, label_names=("1.0", "2.0")).labels == (
        ("1.0", "2.0"),
        ("2.0",),
    )
    with pytest.raises(DataError, match="has the label 'false', which the classifier"):
        as_dataset(frame, label_names=("no", "yes"))


def test_all_settings_of_labels_apply_to_frames_and_lists():
    settings = DataSettings(label_columns=("joy", "fear"), skip_bad_rows=True)
    frame = pd.DataFrame({"text": ["a", "b", " "], "joy": [1, 0, 1], "fear": [1, 1, 0]})
    assert as_dataset(frame, settings).labels == (("joy", "fear"), ("fear",))
    settings = DataSettings(label_separator=",", skip_bad_rows=True)
    data = from_lists(["a", "b", ""], ["joy,fear", "fear,joy", "joy"], settings)
    assert data.labels == (("joy", "fear"), ("fear", "joy"))
    assert data.skipped == 1


def test_columns_of_frames_may_be_numbers():
    frame = pd.DataFrame([["a", "joy", 1], ["b", "fear", 0]])
    given = {"text_column": 0, "label_column": 1}
    assert Dataset.from_frame(frame, **given).labels == ("joy", "fear")
    data = Dataset.from_frame(frame, text_column=0, label_columns=[2])
    assert data.labels == (("2",), ())


@pytest.mark.parametrize("names", [{"joy", "fear"}, 5, "joy"])
def test_names_of_labels_are_a_list_or_a_mapping(names):
    with pytest.raises(DataError, match="label_names must be a list"):
        Dataset.from_lists(["a"], ["joy"], label_names=names)


def test_a_matrix_of_numbered_classes_of_which_one_does_not_occur():
    names = {"0": "joy", "1": "love", "2": "fear"}
    rows = [[1, 0, 0], [1, 1, 0]]
    data = Dataset.from_lists(["a", "b"], rows, label_names=names)
    assert data.label_names == ("joy", "love")
    reader = LabelReader(names, classes=data.label_names)
    row = reader.read([0, 1, 0])
    assert reader.settle(row, reader.matrix_columns()) == ("love",)
    with pytest.raises(BadRow, match="label 'fear' is not one of joy, love"):
        reader.settle(reader.read([0, 0, 1]), reader.matrix_columns())


def test_one_hot_rows_are_multilabel_and_say_so(caplog):
    with caplog.at_level(logging.INFO, "emoclf"):
        data = Dataset.from_lists(TEXTS[:3], np.eye(3), label_names=NAMES)
    assert data.multilabel
    assert "Exactly one label applies to each text" in caplog.text


def test_a_matrix_in_files(tmp_path):
    lines = [json.dumps({"text": "t", "labels": row}) for row in ROWS.tolist()]
    path = tmp_path / "d.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"d.jsonl: all labels are rows of 3 zeros"):
        read_dataset(path, DataSettings(skip_bad_rows=True))
    assert read_dataset(path, label_names=NAMES).labels == NAMED
    pd.DataFrame({"text": TEXTS, "labels": ROWS.tolist()}).to_parquet(
        tmp_path / "d.parquet"
    )
    assert read_dataset(tmp_path / "d.parquet", label_names=NAMES).labels == NAMED
    rows = "".join(f"t,{' '.join(map(str, row))}\n" for row in ROWS.tolist())
    (tmp_path / "d.csv").write_text("text,label\n" + rows)
    settings = DataSettings(label_separator=" ")
    with pytest.raises(DataError, match=r"rows of 3 zeros and ones"):
        read_dataset(tmp_path / "d.csv", settings)


def test_lists_of_ids_are_lists_of_labels():
    for rows in ([[0], [1, 2], [0, 2], [1]], [[0, 1], [1], [0, 2], [0, 1]]):
        data = Dataset.from_lists(TEXTS, rows)
        assert data.label_names == ("0", "1", "2")
        assert data.labels[0] == tuple(map(str, rows[0]))
    # Rows of two ids of three: no row says which of them do not apply.
    data = Dataset.from_lists(["a", "b"], [[0, 1], [1, 0]], label_names=[0, 1, 2])
    assert data.labels == (("0", "1"), ("1", "0"))
    with pytest.raises(DataError, match=r"position 0: label '1' is not one of 0, 2"):
        Dataset.from_lists(["a", "b"], [[0, 1], [0]], label_names=[0, 2])


def test_probabilities_are_no_labels():
    with pytest.raises(DataError, match=r"position 1: the labels 0.9, 0.1 are fract"):
        Dataset.from_lists(["a", "b"], [[1.0, 0.0], [0.9, 0.1]])


def test_a_frame_of_labels_names_its_columns():
    frame = pd.DataFrame(ROWS > 0, columns=NAMES)
    data = Dataset.from_lists(TEXTS, frame)
    assert (data.labels, data.label_names) == (NAMED, tuple(NAMES))
    frame = frame.astype(object)
    frame.loc[1, "love"] = None
    with pytest.raises(DataError, match=r"position 1: column 'love' must contain 0 or"):
        Dataset.from_lists(TEXTS, frame)
    assert not Dataset.from_lists(TEXTS, pd.DataFrame({"y": TEXTS})).multilabel


WRITTEN = {
    "['joy', 'love']": ["joy", "love"],
    '["joy", "it\'s"]': ["joy", "it's"],
    r"['it\'s']": ["it's"],
    "['a' 'b'\n 'c']": ["a", "b", "c"],
    "[ 3 15]": [3, 15],
    "[3, 15]": [3, 15],
    "[1. 0.]": [1.0, 0.0],
    "[True, false]": [True, False],
    "[]": [],
    "('joy', 'love')": ["joy", "love"],
    "{'joy'}": ["joy"],
    "joy": None,
    "[joy]": None,
    "[3-5]": None,
    "(0, 5)": None,
    "(1)": None,
    "{'joy': 1}": None,
    "[print('x')]": None,
    "['joy'": None,
    "[" * 9999 + "]" * 9999: None,
    "['" + "\\" * 9999 + "]": None,
}


@pytest.mark.parametrize("text", WRITTEN, ids=range(len(WRITTEN)))
def test_written_lists(text):
    assert written_list(text) == WRITTEN[text]


@pytest.mark.parametrize("separator", [None, ",", " "])
def test_a_column_of_lists_that_pandas_wrote(tmp_path, separator):
    settings = DataSettings(label_separator=separator)
    for lists in ([["joy", "love"], ["joy"], []], [np.array(["joy", "x y"])] * 2):
        frame = pd.DataFrame({"text": TEXTS[: len(lists)], "labels": lists})
        frame.to_csv(tmp_path / "d.csv", index=False)
        data = read_dataset(tmp_path / "d.csv", settings)
        assert data.labels == tuple(map(tuple, lists))
        again = Dataset.from_frame(pd.read_csv(tmp_path / "d.csv"))
        assert again.labels == data.labels


def test_all_cells_are_written_lists_or_none(tmp_path):
    path = tmp_path / "d.csv"
    for cells, message in (
        (["['joy']", "joy"], "line 3: the label must be a list, as in earlier"),
        (["joy", "['joy']"], "line 3: the label must be one label"),
        (["joy", "[joy, love]"], "line 3: .* looks like a list, .* set label_separ"),
    ):
        frame = pd.DataFrame({"text": ["a", "b"], "label": cells})
        frame.to_csv(path, index=False)
        with pytest.raises(DataError, match=message):
            read_dataset(path)
    data = read_dataset(path, DataSettings(label_separator=","))
    assert data.labels == (("joy",), ("joy", "love"))
    data = read_dataset(path, label_names=["joy", "[joy, love]"])
    assert data.labels == ("joy", "[joy, love]")


# SemEval-2018 E-c has these columns.
SEMEVAL = "ID\tTweet\tanger\tjoy\n1\tso unfair\t1\t0\n2\tfine\t0\t1\n3\twell\t0\t0\n"


def test_a_column_for_each_label(tmp_path):
    path = tmp_path / "2018-E-c.tsv"
    path.write_text(SEMEVAL)
    expected = (("anger",), ("joy",), ())
    for names in (["joy", "anger"], ["a*r", "joy"]):
        data = read_dataset(path, DataSettings(label_columns=names))
        assert data.labels in (expected, tuple(map(tuple, map(reversed, expected))))
        assert data.multilabel
        assert set(data.label_names) == {"joy", "anger"}
    frame = pd.read_csv(path, sep="\t")
    assert Dataset.from_frame(frame, label_columns=["anger", "joy"]).labels == expected
    for ending in ("jsonl", "parquet"):
        other = path.with_suffix(f".{ending}")
        if ending == "jsonl":
            frame.to_json(other, orient="records", lines=True)
        else:
            frame.to_parquet(other)
        settings = DataSettings(label_columns=("anger", "joy"))
        assert read_dataset(other, settings).labels == expected


def test_label_columns_by_number_and_with_names(tmp_path):
    path = tmp_path / "d.tsv"
    path.write_text(SEMEVAL.partition("\n")[2])
    settings = DataSettings(
        text_column="2",
        label_columns=("3", "4"),
        label_names={"3": "anger", "4": "joy"},
    )
    data = read_dataset(path, settings)
    assert data.labels == (("anger",), ("joy",), ())
    assert data.label_names == ("anger", "joy")


@pytest.mark.parametrize(
    ("change", "names", "message"),
    [
        (("1\t0\n2", "2\t0\n2"), ["anger", "joy"], r"line 2: column 'anger' must cont"),
        (("1\t0\n2", "\t0\n2"), ["anger", "joy"], r"line 2: .* Got an empty cell"),
        (("", ""), ["anger", "jy"], r"no column 'jy'. Did you mean 'joy'"),
        (("", ""), ["x*"], r"no column of labels like 'x\*'"),
        (("", ""), ["*"], r"line 2: column 'ID'|line 3: column 'ID'"),
        (("", ""), ["joy", "Tweet"], r"must be in different columns"),
    ],
)
def test_wrong_label_columns_are_errors(tmp_path, change, names, message):
    path = tmp_path / "d.tsv"
    path.write_text(SEMEVAL.replace(*change, 1) if change[0] else SEMEVAL)
    with pytest.raises(DataError, match=message):
        read_dataset(path, DataSettings(label_columns=names))


def test_label_columns_beside_a_split_column():
    frame = pd.DataFrame(ROWS, columns=["a_joy", "a_love", "a_fear"])
    frame = frame.assign(split=["train", "dev", "test", "train"], Text=TEXTS)
    data = Dataset.from_frame(frame, label_columns="a_*", split_column="split")
    assert data.label_ids.tolist() == ROWS.tolist()
    assert data.parts == ("train", "valid", "test", "train")
    frame.loc[2, "a_love"] = 7
    data = Dataset.from_frame(frame, label_columns=["a_*"], skip_bad_rows=True)
    assert data.skips[0].first == (2,)
    assert data.skips[0].reason == "neither 0 nor 1"


def test_label_columns_and_classes_agree(tmp_path):
    path = tmp_path / "d.tsv"
    path.write_text(SEMEVAL)
    settings = DataSettings(label_columns=("anger", "joy"))
    data = read_dataset(path, settings, label_names=["joy", "anger"])
    assert data.label_names == ("joy", "anger")
    with pytest.raises(DataError, match=r"a column for each class. Got none for fear"):
        read_dataset(path, settings, label_names=["joy", "anger", "fear"])
    with pytest.raises(DataError, match=r"give one of them"):
        read_dataset(path, DataSettings(label_columns=("joy",), label_column="anger"))
