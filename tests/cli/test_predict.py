"""``emoclf predict``: files and pipes in, files and lines out."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest
from tiny import tiny_folded, tiny_trained

from emoclf.cli import build_parser, main

CSV = "id,text\n1,a lovely gift\n2,dark\n3,no,text\n"
HEAVY = "tensorflow", "keras", "sklearn", "pandas", "gensim", "scipy", "rich"


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folded(tmp_path_factory.mktemp("an export"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "tiny.emoclf"
    return tiny_trained().predictor.save(path)


def predict(*args: object, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "emoclf", "predict", *map(str, args)],
        input=stdin,
        capture_output=True,
        check=False,
    )


def test_quotes_around_cells_of_standard_input_are_reported(folded: Path) -> None:
    data = b'id\ttext\n1\tok\n2\t"a ""b"" c"\n3\t"d"\n'
    arguments = (folded, "-", "--format", "tsv")
    done = predict(*arguments, stdin=data)
    assert done.stderr.count(b"quotes stay in the texts") == 1
    assert b"standard input, line 3: " in done.stderr
    assert b"--quoting csv" in done.stderr
    done = predict(*arguments, "--quoting", "csv", stdin=data)
    assert b"quotes" not in done.stderr


def call(args: Sequence[object], capsys: pytest.CaptureFixture[str]) -> tuple:
    try:
        code = main(["predict", *map(str, args)])
    except SystemExit as end:
        code = int(end.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_folded_export_needs_no_tensorflow(folded: Path) -> None:
    code = (
        "import sys; from emoclf.cli import main\n"
        "main(['predict', sys.argv[1]]); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folded],
        input="a lovely gift\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("joy\t0.")
    assert not set(HEAVY) & set(done.stderr.split())


@pytest.mark.slow
def test_every_format_from_standard_input(folded: Path, tmp_path: Path) -> None:
    rows = [{"text": "a lovely gift"}, {"text": "dark"}]
    lines = "\n".join(map(json.dumps, rows)).encode()
    file = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    for format, data in (
        ("lines", b"a lovely gift\r\ndark"),
        ("csv", b"\xef\xbb\xbftext\na lovely gift\ndark\n"),
        ("tsv", b"n\ttext\n1\ta lovely gift\n2\tdark\n"),
        ("jsonl", lines),
        ("jsonl", gzip.compress(lines)),
        ("parquet", file.read_bytes()),
    ):
        done = predict(folded, "--format", format, stdin=data)
        assert done.returncode == 0, done.stderr
        labels = [line.split(b"\t")[0] for line in done.stdout.splitlines()]
        assert labels == [b"joy", b"fear"], format
        assert done.stderr == b""


@pytest.mark.parametrize("workers", [1, 2])
def test_predictions_come_before_the_next_line(workers: int, folded: Path) -> None:
    command = ["emoclf", "predict", str(folded), "--format=jsonl", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, f"--workers={workers}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    with process:
        assert process.stdin
        assert process.stdout
        for text, label in (("a lovely gift", "joy"), ("alone in the dark", "fear")):
            process.stdin.write(json.dumps({"text": text, "of": 1}) + "\n")
            # The second line is written after the first label was read.
            result = json.loads(process.stdout.readline())
            assert (result["text"], result["of"], result["label"]) == (text, 1, label)
        process.stdin.close()
    assert process.returncode == 0


def test_lines_on_standard_output(
    folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "in.txt"
    file.write_text("a lovely gift\n\n")
    _, out, err = call([folded, file], capsys)
    assert out.startswith("joy\t0.")
    assert len(out.splitlines()) == 2
    assert err == (
        "1 text without words: such a label means nothing. With --abstain-below 0.01 "
        "it is withheld.\n"
    )
    _, out, _ = call([folded, file, "--all"], capsys)
    label, *shares = out.splitlines()[0].split("\t")
    assert [share.split("=")[0] for share in shares] == ["anger", "fear", "joy"]
    _, out, _ = call([folded, file, "--json", "--precision", "int16"], capsys)
    assert json.loads(out.splitlines()[0])["label"] == label == "joy"


def test_texts_of_the_command_line(
    folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["a lovely gift", 'alone,\nin the "dark"', "", "-\udce9"]
    options = [f"--text={text}" for text in texts]
    code, out, err = call([folded, *options], capsys)
    assert code == 0
    assert err.startswith("1 text without words")
    assert [line.split("\t")[0] for line in out.splitlines()][:2] == ["joy", "fear"]
    assert len(out.splitlines()) == len(texts)
    code, out, _ = call([folded, *options, "--json"], capsys)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == texts
    target = tmp_path / "out.csv"
    assert call([folded, *options, "-o", target], capsys)[0] == 0
    assert target.read_text().startswith("text,label,probability_anger")


def test_a_labelled_file_is_predicted_and_said_so(
    folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,label\ndark,joy\n")
    code, _, err = call([folded, source, "-o", target], capsys)
    assert code == 0
    assert err.splitlines()[0].endswith(
        "'predicted_label' and 'predicted_probability_…'."
    )
    head = "text,label,predicted_label,predicted_probability_anger"
    assert target.read_text().startswith(head)
    code, out, err = call([folded, source], capsys)
    assert (out.split("\t")[0], err) == ("fear", "")
    for prefix in ("", "predicted_"):
        again = [folded, target, "-o", tmp_path / "again.csv", f"--prefix={prefix}"]
        code, _, err = call(again, capsys)
        assert (code, "--prefix" in err) == (1, True)


def test_bad_lines_and_the_summary(
    folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(CSV)
    code, _, err = call([folded, source, "-o", target], capsys)
    assert code == 1
    assert "in.csv, line 4: 3 cells where the first line has 2" in err
    assert err.endswith("or go on without such lines: --on-error skip.\n")
    assert not target.exists()

    code, out, err = call([folded, source, "-o", target, "--on-error=skip"], capsys)
    assert (code, out) == (0, "")
    assert "in.csv, line 4: 3 cells" in err
    assert err.endswith(f"Predicted 2 texts: {target}; 1 bad line left out.\n")
    assert len(target.read_text().splitlines()) == 3

    code, _, err = call([folded, source, "-o", target, "--on-error=null"], capsys)
    assert code == 1
    assert "exists already. Name another file, or replace it with --overwrite." in err
    args = [folded, source, "-o", target, "--on-error=null", "--overwrite", "--quiet"]
    code, _, err = call(args, capsys)
    assert (code, err.count("\n")) == (0, 1)
    assert len(target.read_text().splitlines()) == 4


@pytest.mark.slow
def test_a_bar_moves_at_a_terminal(folded: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,text\n" + "1,dark\n" * 9000 + "bad\n")
    for options, seen in ((["--on-error=skip"], True), (["--quiet"], False)):
        terminal, other_side = os.openpty()
        target = tmp_path / f"{seen}.csv"
        command = [sys.executable, "-m", "emoclf", "predict", folded, source]
        done = subprocess.Popen(
            [*command, "-o", target, "--on-error=skip", *options], stderr=other_side
        )
        os.close(other_side)
        shown = b""
        # A terminal whose other side has gone is an error of reading, not an end.
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 1 << 16):
                shown += piece
        os.close(terminal)
        assert done.wait(60) == 0
        assert (b"texts" in shown.replace(b"Predicted 9,000 texts", b"")) == seen
        assert shown.count(b"in.csv, line 9002: 1 cell where") == 1


@pytest.mark.slow
def test_a_bundle_predicts_files_too(bundle: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text(CSV)
    options = ["--on-error=null", "--workers=2", "--text-column=text"]
    done = predict(bundle, source, "-o", target, *options)
    assert done.returncode == 0, done.stderr
    # TensorFlow's own lines are kept away in the workers too.
    assert len(done.stderr.splitlines()) == 2
    assert parquet.read_table(target)["label"].to_pylist() == ["joy", "fear", None]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["FOLDED", "no.csv"], 1, "There is no file no.csv"),
        (["FOLDED", "a lovely day"], 1, "To predict a text, use --text."),
        (["FOLDED", "IN", "--text", "x"], 1, "--text or a file, not both. Got in.csv"),
        (["FOLDED", "--text", "x", "IN"], 1, "--text or a file, not both. Got in.csv"),
        (["FOLDED", "--json", "IN", "no.csv"], 2, "unrecognized arguments: no.csv\n"),
        (["FOLDED", "--json", "IN", "-z"], 2, "unrecognized arguments: -z\n"),
        (["FOLDED", "--text=x", "--format=csv"], 1, "not both. Got --format csv too."),
        (["nowhere", "IN"], 1, "nowhere does not exist"),
        (["FOLDED", "IN", "-o", "x.xls"], 1, "must end in .csv, .tsv"),
        (["FOLDED", "IN", "-o", "IN/x.csv"], 1, "Cannot write"),
        (["FOLDED", "IN", "-o", "x.csv", "--json"], 1, "are for standard output"),
        (["FOLDED", "IN", "--text-column", "txt"], 1, "Did you mean 'text'"),
        (["FOLDED", "--text-column", "x"], 1, "with --format csv or another"),
        (["FOLDED", "IN", "--encoding", "utf9"], 1, "no encoding 'utf9'"),
        (["FOLDED", "IN", "--workers", "0"], 1, "--workers 0 is too few"),
        (["FOLDED", "IN", "--workers", "two"], 2, "--workers"),
        (["FOLDED", "IN", "--on-error", "go"], 2, "--on-error"),
        (["FOLDED", "IN", "--precision", "int4"], 2, "--precision"),
        (["BUNDLE", "IN", "--precision", "int8"], 1, "--precision int8 is for folded"),
        (["BUNDLE", "IN", "--engine=numba"], 1, "--engine numba is for folded exports"),
    ],
)
def test_mistakes(
    args: list[str],
    code: int,
    message: str,
    folded: Path,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("text\ndark\n")
    places = {
        "FOLDED": folded,
        "BUNDLE": bundle,
        "IN": "in.csv",
        "IN/x.csv": "in.csv/x.csv",
    }
    result, _, err = call([places.get(arg, arg) for arg in args], capsys)
    assert result == code, err
    assert message in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_options_may_precede_the_input(
    folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text\ndark\n")
    code, _, err = call([folded, "-o", target, source, "--quiet"], capsys)
    assert (code, err) == (0, "")
    assert target.read_text().splitlines()[1].startswith("dark,fear,")
    line = "aspects predict x.aspects --json in.csv"
    assert build_parser(["aspects"]).parse_args(line.split()).input == "in.csv"


def test_the_separator_is_recognised(
    folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.csv"
    for content in ("id;text\n1;dark\n2;a gift, so lovely\n", "text|label\ndark|x\n"):
        source.write_text(content)
        code, out, _ = call([folded, source], capsys)
        assert (code, out.split("\t")[0]) == (0, "fear")
    # A pipe can be read once only, and has the separator of its format.
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("id,text\n1,dark\n",))
    writer.start()
    code, out, _ = call([folded, pipe], capsys)
    writer.join()
    assert (code, out.split("\t")[0]) == (0, "fear")
