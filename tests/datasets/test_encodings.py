"""Tests of emoclf.datasets.encodings: advice, and reading in spite of bad bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.datasets.encodings import guess_encoding
from emoclf.datasets.readers import read_dataset
from emoclf.errors import DataError
from emoclf.settings import DataSettings

ROWS = [f"a café and a smile 😀 {i},{'ab'[i % 2]}".encode() for i in range(12)]


def damaged(path: Path, *, rows: tuple[int, ...] = (7,)) -> Path:
    """Write UTF-8 with a cut emoji in some rows, counted from 0."""
    lines = [
        x[:-2] + b"\xf0\x9f" + x[-2:] if i in rows else x for i, x in enumerate(ROWS)
    ]
    data = b"\n".join([b"text,label", *lines, b""])
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz"])
def test_bad_bytes_of_utf8_are_named(tmp_path: Path, name: str) -> None:
    path = damaged(tmp_path / name, rows=(7, 9))
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    message = str(caught.value)
    assert "line 9, byte " in message
    assert "2 of 14 lines have such bytes (line 9, 11)" in message
    assert "encoding_errors='replace'" in message
    assert "encoding_errors='skip'" in message
    assert "encoding='" not in message


@pytest.mark.slow
def test_bad_bytes_are_replaced_or_their_rows_are_left_out(tmp_path: Path) -> None:
    path = damaged(tmp_path / "d.csv")
    data = read_dataset(path, DataSettings(encoding_errors="replace"))
    assert (len(data), data.texts[7]) == (12, "a café and a smile 😀 7\ufffd")
    data = read_dataset(path, DataSettings(encoding_errors="skip"))
    assert (len(data), data.skipped) == (11, 1)
    assert data.skips[0].first == (9,)
    model, out = tiny_folded(tmp_path / "exports"), tmp_path / "out.jsonl"
    with pytest.raises(DataError, match=r"line 9: byte 26: this is not utf-8"):
        predict_file(model, path, out, prefix="p_")
    for errors, result in (("replace", (12, 0)), ("skip", (11, 1))):
        summary = predict_file(
            model, path, out, prefix="p_", encoding_errors=errors, overwrite=True
        )
        assert summary == result


def test_utf16_that_is_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes("text,label\na,x\nb,x\nc,xy".encode("utf-16")[:-1])
    with pytest.raises(DataError, match=r"this is not utf-16.*encoding_errors"):
        read_dataset(path, DataSettings(encoding="utf-16"))
    settings = DataSettings(encoding="utf-16", encoding_errors="replace")
    assert read_dataset(path, settings).texts == ("a", "b", "c")


LANGUAGES = {
    "cp1252": "Ça va, où es-tu? El niño comió: ¡sí! It’s “fine”",
    "cp1254": "çok güzel bir ürün, teşekkürler, ığdır",
    "cp1251": "очень хорошо, спасибо, приду ещё",
    "koi8-r": "очень хорошо, спасибо, приду ещё",
    "gb18030": "味道不错,送餐也很快!下次还会来",
    "euc_kr": "배송이 빠르고 좋습니다",
    "shift_jis": "今日は天気がいい。ありがとう",
}


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_an_encoding_is_advised_if_the_text_is_language(encoding: str) -> None:
    assert guess_encoding(LANGUAGES[encoding].encode(encoding)) == encoding


@pytest.mark.parametrize(
    "data",
    [
        b"plain text \xff\xfe and more",
        b"a \x81 control character",
        "πολύ καλό προϊόν".encode("cp1253"),
        "very good 😀 日本".encode()[:-1],
        b"caf\xc3\xa9 \xe9 " * 3,
    ],
)
def test_no_encoding_is_advised_otherwise(data: bytes) -> None:
    assert guess_encoding(data) is None
