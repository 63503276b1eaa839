"""Terms and polarities together; whole files; summaries."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from tiny_aspects import fitted_tagger, tiny_aspects, tiny_model

from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.aspect_prediction import COLUMNS, predict_aspects
from emoclf.aspects.data.aspect_formats import read_aspects
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.polarities.polarity_folder import POLARITY_FILES
from emoclf.aspects.tagger import AspectTagger
from emoclf.aspects.term_summary import TermSummary
from emoclf.bundle.described_folder import write_sums
from emoclf.classifier import CHUNK_TEXTS
from emoclf.errors import BundleError, DataError, SettingsError

#: They share a model, whose training takes some seconds.
pytestmark = pytest.mark.slow

TEXTS = ["the screen is great", "nothing", "the bill is awful"]


def test_opinions_have_terms_and_polarities() -> None:
    found = tiny_model().predict(TEXTS)
    assert [[(x.term, x.polarity) for x in row] for row in found] == [
        [("screen", "positive")],
        [],
        [("bill", "negative")],
    ]
    first = found[0][0]
    assert TEXTS[0][first.start : first.stop] == "screen"
    assert first.polarity_confidence is not None
    alone = AspectModel(fitted_tagger()).predict(TEXTS)
    assert [x.polarity for row in alone for x in row] == [None, None]
    assert tiny_model().predict(["", "nothing"]) == [[], []]


def test_evaluation_has_both_parts() -> None:
    scores = tiny_model().evaluate(tiny_aspects())
    assert scores["terms"].f1 > 0.95
    assert scores["polarity"]["accuracy"] > 0.95
    assert scores["polarity"]["n"] == tiny_aspects().n_terms
    assert scores["both"].f1 > 0.9
    baselines = tiny_model().baselines(tiny_aspects(), tiny_aspects())
    assert baselines["terms"].f1 == 1
    assert baselines["polarity"]["majority class"]["accuracy"] == 0.5


def test_wrong_polarities_count_together_and_unknown_labels_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = AspectData.from_lists(TEXTS[:1] * 2, [[(4, 10, "negative")], [(4, 10, "x")]])
    scores = tiny_model().evaluate(data)
    assert (scores["terms"].f1, scores["both"].f1) == (1, 0)
    assert scores["polarity"]["confusion"]["negative"]["positive"] == 1
    assert scores["polarity"]["classes"]["positive"]["recall"] == 0
    assert "1 of 2 terms have labels that the model does not have: 1 (x)" in caplog.text


def test_saved_with_polarity_and_damaged(tmp_path: Path) -> None:
    path = tiny_model().save(tmp_path / "both.aspects")
    # Larger ones would not be read if they were compressed.
    for name in ("weights.npz", POLARITY_FILES["polarity_weights"]):
        with zipfile.ZipFile(path / name) as archive:
            assert {x.compress_type for x in archive.infolist()} == {zipfile.ZIP_STORED}
    loaded = AspectModel.load(path)
    assert loaded.predict(TEXTS) == tiny_model().predict(TEXTS)
    # A tagger alone reads the same folder, and does not delete the other half.
    tagger = AspectTagger.load(path)
    with pytest.raises(BundleError, match="has a polarity classifier too"):
        tagger.save(path, overwrite=True)
    assert AspectModel.load(path).polarity is not None
    AspectModel(tagger).save(path, overwrite=True)
    assert AspectModel.load(path).polarity is None
    tiny_model().save(path, overwrite=True)
    name = POLARITY_FILES["polarity_about"]
    content = (path / name).read_bytes()
    (path / name).write_bytes(content.replace(b'"negative"', b'"negatyve"'))
    with pytest.raises(BundleError, match="damaged"):
        AspectModel.load(path)
    about = json.loads(content)
    (path / name).write_text(json.dumps({**about, "embedding_shape": [10**9, 10**9]}))
    files = [x.name for x in path.iterdir() if x.name != "sha256sums.txt"]
    write_sums(path, files)
    with pytest.raises(BundleError, match="an embedding matrix of the shape"):
        AspectModel.load(path)


def test_train_fits_both() -> None:
    settings = {"vectors": "none", "dim": 8, "near_duplicates": 1.0, "epochs": 1}
    settings["members"] = 1
    tagger = {**settings, "network": "cnn"}
    data = tiny_aspects()
    model = AspectModel.train(data, tagger=tagger, polarity=settings)
    assert model.polarity is not None
    assert set(model.tagger.validation_) == {"tagger", "dictionary"}


def test_labels_are_kinds_or_polarities_and_not_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(AspectTagger, "fit", None)
    monkeypatch.setattr(AspectCheckpoints, "remove", None)
    with pytest.raises(
        SettingsError, match=r"typed=True learns .* learn_polarity=True"
    ):
        AspectModel.train(
            tiny_aspects(),
            tagger={"typed": True},
            learn_polarity=True,
            checkpoints=AspectCheckpoints(tmp_path),
        )


def test_wrong_polarities_are_refused_before_the_tagger_is_fitted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError("The tagger was fitted.")

    monkeypatch.setattr(AspectTagger, "fit", fail)
    data = tiny_aspects()
    bare = AspectData.from_lists(["the bill"], [[(4, 8)]])
    with pytest.raises(
        DataError, match="The validation set: There must be at least one"
    ):
        AspectModel.train(data, valid=bare)
    other = AspectData.from_lists(["the bill"], [[(4, 8, "neutral")]])
    with pytest.raises(DataError, match="no other labels in the validation set"):
        AspectModel.train(data, valid=other)
    monkeypatch.setattr(AspectTagger, "fit", lambda self, *args, **kwargs: self)
    kinds = AspectData.from_lists(["the bill"], [[(0, 3, "food"), (4, 8, "staff")]])
    assert AspectModel.train(kinds).polarity is None
    assert "not known as polarities: 2 (food, staff)" in caplog.text
    assert AspectModel.train(data, tagger={"typed": True}).polarity is None
    with pytest.raises(DataError, match="too few for a training and a validation"):
        AspectModel.train(kinds, learn_polarity=True)


def test_json_lines_are_read_as_terms_again(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl.gz"
    rows = [{"id": i, "text": text, "stars": 3} for i, text in enumerate(TEXTS)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = predict_aspects(tiny_model(), source, target)
    assert counts == (3, 2, 0)
    lines = gzip.decompress(target.read_bytes()).decode().splitlines()
    first = json.loads(lines[0])
    assert first["stars"] == 3
    assert first["terms"] == ["screen"]
    assert 0 < first["confidences"][0] <= 1
    again = read_aspects(target)
    assert [x[:3] for x in again.spans[0]] == [(4, 10, "positive")]
    assert again.spans[1] == []
    # A labelled file can be predicted, and keeps its spans.
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text(json.dumps({"text": TEXTS[0], "spans": [[0, 3, "x"]]}) + "\n")
    predict_aspects(tiny_model(), labelled, tmp_path / "new.jsonl")
    row = json.loads((tmp_path / "new.jsonl").read_text())
    assert row["spans"] == [[0, 3, "x"]]
    assert row["predicted_spans"] == [[4, 10, "positive"]]
    with open(labelled, "a") as stream:
        stream.write(json.dumps({"text": "x", "predicted_terms": "mine"}) + "\n")
    with pytest.raises(DataError, match="has a column 'predicted_terms' already"):
        predict_aspects(tiny_model(), labelled, tmp_path / "never.jsonl")


def test_csv_has_a_row_for_each_term(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('n,text\n1,"the screen is great, the bill is awful"\n2,nothing\n')
    predict_aspects(tiny_model(), source, target)
    with open(target, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["n", "text", *COLUMNS]
    assert [(row["n"], row["term"]) for row in rows] == [
        ("1", "screen"),
        ("1", "bill"),
        ("2", ""),
    ]
    text = rows[0]["text"]
    assert text[int(rows[1]["start"]) : int(rows[1]["stop"])] == "bill"
    # The same file is read as labelled sentences.
    assert read_aspects(target).n_terms == 2
    # Its own file can be predicted too.
    predict_aspects(tiny_model(), target, tmp_path / "again.csv")
    message = "in 'predicted_term' and 'predicted_polarity_confidence'."
    assert message in caplog.text
    head = (tmp_path / "again.csv").read_text().splitlines()[0].split(",")
    assert head == ["n", "text", *COLUMNS, *(f"predicted_{x}" for x in COLUMNS)]
    with pytest.raises(DataError, match="has a column 'term' already"):
        predict_aspects(tiny_model(), target, tmp_path / "third.csv", prefix="")
    assert not (tmp_path / "third.csv").exists()


def test_no_data_of_the_user_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in.jsonl"
    rows = [{"text": "nothing"}] * CHUNK_TEXTS + [{"text": "nothing", "stars": 3}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="the key 'stars' is new here"):
        predict_aspects(tiny_model(), source, tmp_path / "out.csv")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "the bill is awful"}\n{"text": 3}\n')
    before = bad.read_bytes()
    with pytest.raises(DataError, match="is input and output, and 1 of its lines"):
        predict_aspects(tiny_model(), bad, bad, on_error="skip", overwrite=True)
    assert bad.read_bytes() == before

    def fail(self: object, texts: object) -> None:
        raise OSError("the model's disk is gone")

    monkeypatch.setattr(AspectModel, "predict", fail)
    with pytest.raises(BundleError, match="cannot predict: the model's disk is gone"):
        predict_aspects(tiny_model(), source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_bad_records_and_streams(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "the bill is awful"}\n{"text": 3}\n')
    with pytest.raises(DataError, match="line 2"):
        predict_aspects(tiny_model(), source, tmp_path / "out.jsonl")
    stream = io.StringIO()
    counts = predict_aspects(tiny_model(), source, stream, on_error="null")
    assert counts == (1, 1, 1)
    first, second = stream.getvalue().split("\n")[:2]
    assert first.startswith("bill (negative ")
    assert second == ""
    none = io.StringIO()
    predict_aspects(
        tiny_model(), source, none, on_error="skip", min_confidence=1.0,
        output_format="csv",
    )  # fmt: skip
    assert none.getvalue().splitlines()[1].endswith(",,,,,")
    with pytest.raises(SettingsError, match="min_confidence must be from 0 to 1"):
        predict_aspects(tiny_model(), source, none, min_confidence=2)
    with pytest.raises(SettingsError, match="output_format must be one of lines"):
        predict_aspects(tiny_model(), source, none, output_format="xml")
    with pytest.raises(DataError, match=r"must end in \.csv"):
        predict_aspects(tiny_model(), source, tmp_path / "out.xml")


def test_parquet_and_tsv_have_a_row_for_each_term(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    source = tmp_path / "in.csv"
    source.write_text('n,text\n1,"the screen is great, the bill is awful"\n2,nothing\n')
    predict_aspects(tiny_model(), source, tmp_path / "out.parquet")
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(x["n"], x["term"], x["start"]) for x in rows] == [
        ("1", "screen", 4),
        ("1", "bill", 25),
        ("2", None, None),
    ]
    predict_aspects(tiny_model(), source, tmp_path / "out.tsv")
    lines = (tmp_path / "out.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["n", "text", *COLUMNS]
    assert len(lines) == 4


def test_summary_counts_terms_and_shares() -> None:
    texts = ["the Screen is great", "the screen is awful", "the screen is great", "x"]
    summary = tiny_model().summary([*texts, "the bill is awful"])
    assert summary.n_texts == 5
    rows = summary.rows()
    assert [(row["term"], row["count"]) for row in rows] == [("screen", 3), ("bill", 1)]
    assert rows[0]["positive"] == pytest.approx(2 / 3)
    assert summary.lines(1) == [
        "2 terms in 5 texts; the 1 most frequent",
        "term    count  negative  positive",
        "screen      3       33%       67%",
    ]
    assert summary.to_frame().shape == (2, 4)
    assert TermSummary().lines() == ["0 terms in 0 texts"]
