"""Help of every command: plain words, short usage lines, 80 columns; completion."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emoclf.cli import build_parser, main
from emoclf.cli.options import COMMON_SETTINGS
from emoclf.cli.shared import HELP_ALL
from emoclf.evaluation.metric_names import OBJECTIVES
from emoclf.models.registry import ARCHITECTURES
from emoclf.tuning.results.outcome import STRATEGIES

ARGUMENTS = {
    "demo": "",
    "audit": "DATA",
    "train": "DATA",
    "distil": "DATA",
    "evaluate": "MODEL DATA",
    "predict": "MODEL [INPUT]",
    "explain": "MODEL [TEXT…]",
    "drift": "BUNDLE INPUT",
    "show": "MODEL",
    "compare": "DATA",
    "crossval": "DATA",
    "export": "BUNDLE",
    "vectors train": "TEXTS…",
    "vectors coverage": "DATA --vectors FILE",
    "teach": "DATA --encoder NAME",
    "tune": "DATA",
    "tune chief": "DATA",
    "tune show": "SEARCH",
    "tune worker": "",
    "aspects train": "TERMS",
    "aspects predict": "FOLDER [INPUT]",
    "aspects evaluate": "FOLDER TERMS",
}
OPENINGS = ("what", "how", "where", "whoever", "of", "that which", "which")
OLD_WORDS = r"floors?|judged?|judges|judging|several labels|figures?|answers?"
VAGUE = re.compile(rf"({'|'.join(OPENINGS)})\b", re.IGNORECASE)
OLD = re.compile(rf"\b({OLD_WORDS})\b", re.IGNORECASE)


def command(words: str, *options: str) -> argparse.ArgumentParser:
    """Return the parser of one command; by default its help shows all options."""
    parser = build_parser([*words.split(), *(options or [HELP_ALL])])
    for word in words.split():
        (subparsers,) = (
            action
            for action in parser._actions
            if isinstance(action, argparse._SubParsersAction)
        )
        parser = subparsers.choices[word]
    return parser


def helps(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None]]:
    """Yield the name and the help text of every argument and subcommand."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice.dest, choice.help
        else:
            yield "/".join(action.option_strings) or action.dest, action.help


def test_every_command_is_listed() -> None:
    names = [name for name, _ in helps(build_parser()) if not name.startswith("-")]
    assert names == list(dict.fromkeys(words.split()[0] for words in ARGUMENTS))


@pytest.mark.parametrize("words", ["", "vectors", *ARGUMENTS])
def test_help_is_plain(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    parser = command(words)
    for name, text in helps(parser):
        assert text, f"{words} {name} has no help"
        assert not VAGUE.match(text), f"{words} {name}: {text}"
    shown = parser.format_help()
    assert not OLD.search(shown)
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_help_of_every_architecture_is_plain(architecture: str) -> None:
    args = ["train", "--architecture", architecture, HELP_ALL]
    (subparsers,) = (a for a in build_parser(args)._actions if a.choices)
    assert isinstance(subparsers, argparse._SubParsersAction)
    for name, text in helps(subparsers.choices["train"]):
        assert text, name
        assert not VAGUE.match(text), f"{name}: {text}"
        assert not OLD.search(text), f"{name}: {text}"


@pytest.mark.parametrize("words", ARGUMENTS)
def test_usage_lines_are_short(words: str) -> None:
    usage = f"usage: emoclf {words} [OPTIONS] {ARGUMENTS[words]}".rstrip()
    assert command(words).format_usage() == usage + "\n"


def test_choices_are_listed() -> None:
    options = dict(helps(command("tune")))
    for option, names in (
        ("--architecture", ARCHITECTURES),
        ("--strategy", STRATEGIES),
        ("--objective", OBJECTIVES),
    ):
        assert ", ".join(names) in (options[option] or "")


@pytest.mark.parametrize("words", ["demo", "train", "predict", "export"])
def test_overwrite_is_shown_and_older_names_work(words: str) -> None:
    shown = command(words).format_help()
    assert "--overwrite" in shown
    assert "--force" not in shown
    if words in ("predict", "export"):
        required = {"predict": [], "export": ["--to", "onnx", "-o", "x"]}[words]
        args = [words, "folder", *required, "--force"]
        assert build_parser(args).parse_args(args).overwrite


@pytest.mark.parametrize(
    "words", ["demo", "train", "compare", "tune", "tune chief", "vectors coverage"]
)
def test_help_shows_common_options_and_help_all_shows_all(words: str) -> None:
    common, all_options = command(words, "--help"), command(words)
    assert dict(helps(common)).keys() == dict(helps(all_options)).keys()
    assert argparse.SUPPRESS not in dict(helps(all_options)).values()
    hidden = {name for name, text in helps(common) if text == argparse.SUPPRESS}
    assert hidden
    shown = common.format_help()
    assert not any(re.search(rf"^  {name}\b", shown, re.M) for name in hidden)
    assert "--help-all" in shown
    assert "--vectors" in shown
    args = [*words.split(), "data.csv", "--min-count=3", "--near-duplicates", "1"]
    if words in ("train", "compare", "tune chief"):
        args += ["-o", "x", *(["--address", "a:1"] if "chief" in words else [])]
    if words != "demo":
        assert build_parser(args).parse_args(args).__dict__["setting:min_count"] == 3


def test_common_settings_exist() -> None:
    options = {
        name
        for architecture in ARCHITECTURES
        for name, _ in helps(command("train", f"--architecture={architecture}"))
    }
    assert not {"--" + x.replace("_", "-") for x in COMMON_SETTINGS} - options


@pytest.mark.parametrize(
    ("args", "same"),
    [
        ([], ["--help"]),
        (["help"], ["--help"]),
        (["help", "train"], ["train", "--help"]),
        (["help", "tune", "show"], ["tune", "show", "--help"]),
        (["help", "train", "--help-all"], ["train", "--help-all"]),
    ],
)
def test_other_ways_to_ask_for_help(
    args: list[str], same: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for call in (args, same):
        with pytest.raises(SystemExit, match="0"):
            main(call)
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trian data.csv", "invalid choice: 'trian'. Did you mean 'train'?"),
        ("help evalaute", "Did you mean 'evaluate'?"),
        (
            "--versoin",
            "emoclf: there is no option --versoin. Did you mean '--version'?",
        ),
        ("vectors trian x", "Did you mean 'train'?"),
        ("tune shwo x.search", "there is no command or file 'shwo'. Did you mean 's"),
        ("train x --epoch 3 -o y", "train: there is no option --epoch. Did you mean '"),
        # Named before the required option that it was meant to be.
        ("train x --outptu y", "there is no option --outptu. Did you mean '--output'?"),
        ("train x --learn=1", "Did you mean '--learning-rate'?"),
        ("train x --label_column=y", "Did you mean '--label-column'?"),
        ("tune show --plot x y", "Did you mean '--plots'?"),
        ("predict m --bogus", "predict: there is no option --bogus.\n"),
        ("export b --to onx -o x", "invalid choice: 'onx'. Did you mean 'onnx'?"),
        ("predict m --engine nump", "Did you mean 'numpy'?"),
        ("predict m --bogus in.csv", "predict: there is no option --bogus.\n"),
        ("drift sentiment-en x.csv", "sentiment-en is a ready classifier, a folded"),
        ("export emotions-en --to folded -o x", "and not a bundle. Name a folder that"),
    ],
)
def test_mistyped_words_are_named_with_the_nearest(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(line.split())
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_the_shell_completes_commands_options_and_values(tmp_path: Path) -> None:
    (tmp_path / "my.emoclf").mkdir()
    for line, words in (
        ("emoclf tra", "train"),
        ("emoclf train x.csv --epo", "--epochs"),
        ("emoclf train x.csv --near", "--near-duplicates"),
        ("emoclf train --architecture bilstm --recurrent-l", "--recurrent-layers"),
        ("emoclf train --architecture bil", "bilstm"),
        ("emoclf train --config none.toml --optimizer ada", "adam adamw adadelta"),
        ("emoclf tune show --plo", "--plots"),
        ("emoclf export b --to fold", "folded folded-int8"),
        ("emoclf show my", "my.emoclf/"),
        ("emoclf trian --ep", ""),
    ):
        # The shell reads the words from file descriptor 8.
        done = subprocess.run(
            [
                "bash",
                "-c",
                '"$@" 8>&1 9>/dev/null >/dev/null',
                "",
                sys.executable,
                "-m",
                "emoclf",
            ],
            env=os.environ
            | {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": " ", "COMP_LINE": line}
            | {"COMP_POINT": str(len(line))},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == words.split(), line
        assert done.stderr == ""
