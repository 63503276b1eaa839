"""``emoclf explain``: texts and files in, lines, JSON and pages out."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from emoclf.bulk.file_prediction import Progress
from emoclf.cli import build_parser, main
from emoclf.cli.explain import _read

MODEL = "sentiment-en"
CSV = "id,text\n1,a lovely gift\n2,lovely day\n3,awful\n4,awful food\n"


def call(args: Sequence[object], capsys: pytest.CaptureFixture[str]) -> tuple:
    try:
        code = main(["explain", *map(str, args)])
    except SystemExit as end:
        code = int(end.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_texts_are_arguments_or_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = call([MODEL, "What a lovely day", "--text", "awful"], capsys)
    assert (code, err) == (0, "")
    assert out.startswith("positive 0.")
    assert "\n\nnegative 0." in out
    assert max(map(len, out.splitlines())) <= 80
    stdin = io.TextIOWrapper(
        io.BufferedReader(io.BytesIO(b"What a lovely day\nawful\n"))
    )
    monkeypatch.setattr("sys.stdin", stdin)
    assert call([MODEL], capsys)[1] == out
    args = [MODEL, "--top", "5", "--method=auto", "What a lovely day", "awful"]
    assert call(args, capsys) == (0, out, "")
    assert call([MODEL, "--json", "--", "-lovely"], capsys)[0] == 0
    # Words on both sides of an option may be a value that it does not take.
    for wrong in (["lovely", "--json", "true"], ["--json", "-l"]):
        assert call([MODEL, *wrong], capsys)[0] == 2


def test_json_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call([MODEL, "lovely", "", "--json", "--label", "neutral"], capsys)
    assert code == 0
    first, second = map(json.loads, out.splitlines())
    assert first["labels"] == second["labels"] == ["neutral"]
    assert first["is_exact"]
    assert first["tokens"][0]["text"] == "lovely"
    assert second["tokens"] == []


def test_a_page_of_html(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    text = "<script>alert(1)</script> lovely"
    assert call([MODEL, text, "bad", "--html", page], capsys) == (0, "", "")
    content = page.read_text("utf-8")
    assert content.count('class="emoclf-explanation"') == 2
    assert "<script" not in content
    code, _, err = call([MODEL, text, "--html", page], capsys)
    assert code == 1
    assert "exists" in err
    assert call([MODEL, text, "--html", page, "--overwrite"], capsys)[0] == 0


def test_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(CSV)
    code, out, _ = call([MODEL, "--corpus", path], capsys)
    assert code == 0
    assert "over 4 texts" in out
    assert "for positive" in out
    assert "Filters with the largest effect" in out
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = call(
        [MODEL, "--corpus", path, "--json", "--top", 3, "--min-count", 1], capsys
    )
    about = json.loads(out)
    effects = about["labels"]["positive"]["for"]
    assert "lovely" in effects[0]["phrase"]
    assert len(effects) == 3
    code, out, _ = call([MODEL, "--corpus", path, "--label", "negative"], capsys)
    assert "for positive" not in out


def test_a_corpus_has_a_bar_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "corpus.csv"
    path.write_text(CSV)
    command = [MODEL, "--corpus", path]
    code, expected, err = call(command, capsys)
    assert (code, err) == (0, "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    code, out, err = call(command, capsys)
    assert (code, out) == (0, expected)
    assert "3 texts" in err
    assert call([*command, "--quiet"], capsys) == (0, expected, "")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_progress_moves_with_every_text(tmp_path: Path, ending: str) -> None:
    import pandas as pd

    path = tmp_path / f"corpus.{ending}"
    frame = pd.DataFrame({"text": [f"text number {number}" for number in range(50)]})
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    args = build_parser(["explain"]).parse_args(
        ["explain", MODEL, "--corpus", str(path)]
    )
    states: list[Progress] = []
    texts = list(_read(str(path), args, states.append))
    assert len(texts) == len(states) == 50
    assert [state.predicted for state in states] == list(range(50))
    shares = [state.done / state.total for state in states if state.total]
    assert shares == sorted(shares)
    assert len(set(shares)) == 50
    assert shares[0] == 0
    assert 0.9 < shares[-1] < 1


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["x", "--label", "positiv"], 1, "Did you mean 'positive'?"),
        (["x", "--method", "exakt"], 2, "Did you mean 'exact'?"),
        (
            ["x", "--method", "integrated-gradients"],
            1,
            "or, for an export, give its bundle",
        ),
        (["x", "--text-column", "a"], 1, "Name one with --corpus."),
        (["FILE"], 1, "is a file. Explain its texts with --corpus"),
        (["x", "--corpus", "FILE"], 1, "Leave out --text"),
        (["--corpus", "none.csv"], 1, "none.csv"),
        (["--corpus", "FILE", "--label", "jo"], 1, "no label 'jo'"),
        (["--corpus", "FILE", "--top", "0"], 1, "--top must be a whole number"),
        (["--corpus", "FILE", "--html", "x.html"], 1, "Leave out --html"),
        (["x", "--html", "x.html", "--json"], 1, "not both"),
    ],
)
def test_wrong_calls_are_reported_on_a_line(
    args: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(CSV)
    args = [str(path) if arg == "FILE" else arg for arg in args]
    found, out, err = call([MODEL, *args], capsys)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_an_export_is_explained_without_tensorflow() -> None:
    program = (
        "import sys; from emoclf.cli import main\n"
        "assert main(['explain', 'sentiment-en', 'What a lovely day!']) == 0\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'pandas', 'scipy', 'gensim'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("positive 0.")
