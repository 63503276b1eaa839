"""Reading and writing sentences with terms, in every format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from emoclf.aspects.data.aspect_formats import (
    ASPECT_FORMATS,
    read_aspects,
    write_aspects,
)
from emoclf.aspects.data.sample import load_aspect_sample
from emoclf.aspects.data.sentences import AspectData, Sentence, Term
from emoclf.errors import DataError, EmoclfError, SettingsError
from emoclf.text.tokenizer import Tokenizer

HARD = AspectData.from_lists(
    [
        'Der "Akku", 5 € <gut> & naïve 🙂 screen; the screen\r\nwas fine',
        "no terms here",
        "no terms here",
        "tab\tand, comma",
    ],
    [[(5, 9, "positive"), (32, 38, None), (44, 50, "conflict")], [], [], [(0, 3)]],
)


@pytest.mark.parametrize("name", ASPECT_FORMATS)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_format_keeps_texts_and_terms(
    name: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"reviews{ASPECT_FORMATS[name].endings[0]}{ending}"
    write_aspects(HARD, path)
    if ending:
        assert gzip.decompress(path.read_bytes())
    found = read_aspects(path)
    if name == "conll":
        # Its columns have tokens, not texts.
        words = [[s.words(t) for t in s.terms] for s in found]
        assert words == [[s.words(t) for t in s.terms] for s in HARD]
        labels = [[t.label for t in s.terms] for s in found]
        assert labels == [[t.label for t in s.terms] for s in HARD]
        tokens = [s.text.split() for s in found]
        tokenizer = Tokenizer(lowercase=False)
        spans = [[s.text[a:b] for a, b in tokenizer.spans(s.text)] for s in HARD]
        assert tokens == spans
        return
    assert found.texts == HARD.texts
    assert found.spans == HARD.spans
    assert [s.id for s in found] == [s.id for s in HARD]


def test_written_files_are_not_replaced_unasked(tmp_path: Path) -> None:
    path = write_aspects(HARD, tmp_path / "a.jsonl")
    with pytest.raises(DataError, match=r"exists already.*overwrite=True"):
        write_aspects(HARD, path)
    write_aspects(HARD.take([0]), path, overwrite=True)
    assert len(read_aspects(path)) == 1


def test_sample_has_true_offsets_on_borders_of_tokens() -> None:
    from emoclf.aspects.data.sample import aspect_sample_path

    data = load_aspect_sample()
    lines = aspect_sample_path().read_text("utf-8").splitlines()
    assert len(data) == len(lines) >= 150
    for sentence, line in zip(data, map(json.loads, lines), strict=True):
        assert [sentence.words(term) for term in sentence.terms] == line["terms"]
        borders = Tokenizer().spans(sentence.text)
        assert {t.start for t in sentence.terms} <= {start for start, _ in borders}
        assert {t.stop for t in sentence.terms} <= {stop for _, stop in borders}
    assert set(data.label_counts()) == {"positive", "negative", "neutral"}
    assert len(set(data.texts)) == len(data)
    assert repr(data).startswith("<AspectData: sentences 161, terms 173")


def test_spans_of_annotation_tools_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tool.jsonl"
    objects = [
        {"text": "good food", "label": [[5, 9, "FOOD"]]},
        {"review": "good food"},
        {"text": "good food", "spans": [{"start": 5, "end": 9, "label": "FOOD"}]},
        {"text": "good food"},
    ]
    path.write_text("".join(json.dumps(x) + "\n" for x in objects[:1] + objects[2:]))
    found = read_aspects(path)
    assert found.spans == [[Term(5, 9, "FOOD")], [Term(5, 9, "FOOD")], []]
    path.write_text("".join(json.dumps(x) + "\n" for x in objects))
    with pytest.raises(DataError, match="line 2: the object has no 'text'"):
        read_aspects(path)


def test_rows_of_one_term_each(tmp_path: Path) -> None:
    path = tmp_path / "terms.csv"
    path.write_text(
        "review,aspect,sentiment\n"
        '"the food, the food",food,positive\n'
        '"the food, the food",food,negative\n'
        "nothing,,\n"
    )
    found = read_aspects(path)
    terms = (Term(4, 8, "positive"), Term(14, 18, "negative"))
    assert found.sentences == (
        Sentence("the food, the food", terms),
        Sentence("nothing"),
    )


def test_terms_without_offsets_are_whole_words_and_the_longest_come_first(
    tmp_path: Path,
) -> None:
    path = tmp_path / "terms.csv"
    path.write_text(
        "text,term\nthe barman of the bar,bar\n"
        "the hard disk is a disk,disk\nthe hard disk is a disk,hard disk\n"
        "好吃的,吃\n"
    )
    found = read_aspects(path)
    assert found.spans == [
        [Term(18, 21)],
        [Term(4, 13), Term(19, 23)],
        [Term(1, 2)],
    ]


def test_opinions_of_later_years(tmp_path: Path) -> None:
    path = tmp_path / "2016.xml"
    opinion = '<Opinion target="%s" category="FOOD" polarity="%s" from="%d" to="%d"/>'
    rows = [("food", "positive", 5, 9), ("food", "positive", 5, 9)]
    rows += [("staff", "positive", 14, 19), ("staff", "negative", 14, 19)]
    opinions = "".join(opinion % row for row in [*rows, ("NULL", "negative", 0, 0)])
    path.write_text(
        "<Reviews><Review><sentences><sentence id='1'><text>Good food and staff.</text>"
        f"<Opinions>{opinions}</Opinions></sentence></sentences></Review></Reviews>"
    )
    (terms,) = read_aspects(path).spans
    assert terms == [Term(5, 9, "positive"), Term(14, 19, "conflict")]


def test_conll_of_other_tools(tmp_path: Path) -> None:
    path = tmp_path / "old.conll"
    path.write_text(
        "-DOCSTART- -X- O O\n\nThe DT B-NP O\nhard JJ I-NP B-ASP\ndisk NN I-NP I-ASP"
        "\n\n\n# text = # .\n# NN O O\n. . O O"
    )
    found = read_aspects(path)
    assert found.texts == ["The hard disk", "# ."]
    assert found.spans == [[Term(4, 13, "ASP")], []]


ONE = '<sentences><sentence id="7"><text>Good food.</text>%s</sentence></sentences>'
TERM = '<aspectTerms><aspectTerm term="%s" from="%s" to="%s"/></aspectTerms>'
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    "<sentences><sentence><text>&b;</text></sentence></sentences>"
)
OUTSIDE_FILE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    "<sentences><sentence><text>&a;</text></sentence></sentences>"
)
WRONG = {
    "offsets.xml": (ONE % (TERM % ("food", 6, 10)), "sentence 7: .*'ood.'"),
    "range.xml": (
        ONE % '<aspectTerms><aspectTerm from="5" to="40"/></aspectTerms>',
        "sentence 7: the span from 5 to 40 is not within the text, which has 10",
    ),
    "number.xml": (ONE % (TERM % ("food", "five", 9)), "whole number as 'from'"),
    "broken.xml": ("<sentences><sentence>", "this is not XML"),
    "other.xml": ("<html/>", "no element <sentence>; it begins with <html>"),
    "no-text.xml": ("<s><sentence id='3'/></s>", "sentence 3: it has no element <text"),
    "encoding.xml": (
        "<?xml version='1.0' encoding='klingon'?>" + ONE % "",
        "unknown encoding|names an encoding",
    ),
    "bomb.xml": (BOMB, "declares an entity or another file, which is refused"),
    "outside.xml": (OUTSIDE_FILE, "declares an entity or another file"),
    "overlap.jsonl": (
        '{"id": "a", "text": "good food", "spans": [[0, 6], [5, 9]]}',
        r"line 1, sentence a: the terms 'good f' \(0 to 6\) and 'food' \(5 to 9\) ov",
    ),
    "blank.jsonl": ('{"text": "good food", "spans": [[4, 5]]}', "white space only"),
    "float.jsonl": ('{"text": "good", "spans": [[0.0, 4]]}', r"must be \[start, stop"),
    "word.jsonl": ('{"text": "good", "spans": "good"}', "line 1: spans must be a list"),
    "broken.jsonl": ('{"text": "good"', "line 1: column 16: this is not JSON"),
    "absent.csv": ("text,term\ngood food,fod\n", "line 2: the text contains no 'fod'"),
    "half.csv": ("text,start,stop\ngood food,5,\n", "line 2: offsets must be whole nu"),
    "moved.csv": (
        "text,term,start,stop\nnaïve food,food,7,11\n",
        "line 2: the term 'food' has the offsets 7 to 11.*not bytes",
    ),
    "none.csv": ("text,words\ngood,good\n", "must have a column of terms"),
    "twice.csv": (
        "id,text,term\n1,good food,food\n1,bad food,food\n",
        "line 3, sentence 1: the text is 'bad food', and an earlier row",
    ),
    "tag.conll": ("good O\nfood X-Y\n", "line 2: the last column must be a tag"),
    "width.conll": (
        "good O\nfood NN B\n",
        "line 2: a line must have a token and a tag",
    ),
    "form.xml": (ONE % "<terms/>", "no element <aspectTerm>.*Its elements: sentence"),
    "markup.xml": (
        "<s><sentence><text>good <b>food</b> here</text></sentence></s>",
        "<text> contains an element <b>",
    ),
    "keys.jsonl": (
        '{"text": "good food", "aspects": [[5, 9]]}\n',
        "no object has spans.*Its keys: aspects, text",
    ),
    "bare.conll": ("good O\nfood O\n", "has 1 sentence, and no term in it."),
    "empty.jsonl": ("\n", "has no sentences"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_file_the_sentence_and_what_was_found(
    name: str, tmp_path: Path
) -> None:
    content, message = WRONG[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_aspects(tmp_path / name)
    assert name in str(caught.value)


def test_unknown_bytes_formats_and_encodings_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("text,term\ncafé,café\n".encode("latin-1"))
    with pytest.raises(DataError, match="line 2"):
        read_aspects(path)
    assert read_aspects(path, encoding="latin-1").texts == ["café"]
    with pytest.raises(SettingsError, match="klingon"):
        read_aspects(path, encoding="klingon")
    with pytest.raises(SettingsError, match=r"one of semeval, conll.*Did you mean"):
        read_aspects(path, format="semeva")
    with pytest.raises(DataError, match=r"ends in none of .xml"):
        read_aspects(Path(__file__))


def test_what_a_format_cannot_hold_is_an_error(tmp_path: Path) -> None:
    control = AspectData.from_lists(["a \x07 bell"], [[]])
    with pytest.raises(EmoclfError, match=r"contains '\\x07', which XML cannot"):
        write_aspects(control, tmp_path / "a.xml")
    spaced = AspectData.from_lists(["food"], [[(0, 4, "main dish")]])
    with pytest.raises(EmoclfError, match="label 'main dish' contains white space"):
        write_aspects(spaced, tmp_path / "a.conll")
    for data in (
        AspectData((Sentence("food", (), "a\x07"),)),
        AspectData((Sentence("food", (Term(0, 4, "a\x07"),)),)),
    ):
        with pytest.raises(EmoclfError, match=r"contains '\\x07', which XML cannot"):
            write_aspects(data, tmp_path / "a.xml")
    twice = AspectData((Sentence("food", (), "a"), Sentence("soup", (), "a")))
    with pytest.raises(EmoclfError, match="Two sentences have the id 'a'"):
        write_aspects(twice, tmp_path / "a.csv")
    half = AspectData.from_lists(["\ud800 food"], [[]])
    with pytest.raises(EmoclfError, match="half of a character"):
        write_aspects(half, tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[(0, 2)]], "Got 2 texts and 1 lists"),
        ([[(0, 2)], "ab"], "The text at index 1: spans must be a list"),
        ([[(0, 2, 3)], []], "The text at index 0: a span must be"),
        ([[(-1, 2)], []], "from -1 to 2 is not within the text"),
    ],
)
def test_spans_in_python_are_checked(spans: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        AspectData.from_lists(["good food", "b"], spans)
