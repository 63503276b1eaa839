"""Help of every command: plain words, short usage lines, 80 columns."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from emoclf.cli import build_parser
from emoclf.evaluation.metric_names import OBJECTIVES
from emoclf.models.registry import ARCHITECTURES
from emoclf.tuning.results.outcome import STRATEGIES

ARGUMENTS = {
    "demo": "",
    "train": "DATA",
    "evaluate": "MODEL DATA",
    "predict": "MODEL [INPUT]",
    "show": "MODEL",
    "compare": "DATA",
    "export": "BUNDLE",
    "vectors train": "TEXTS…",
    "vectors coverage": "DATA --vectors FILE",
    "tune": "DATA",
    "tune chief": "DATA",
    "tune show": "SEARCH",
    "tune worker": "",
}
OPENINGS = ("what", "how", "where", "whoever", "of", "that which", "which")
OLD_WORDS = (
    r"floors?|judged?|judges|judging|several labels|figures?|explain\w*|answers?"
)
VAGUE = re.compile(rf"({'|'.join(OPENINGS)})\b", re.IGNORECASE)
OLD = re.compile(rf"\b({OLD_WORDS})\b", re.IGNORECASE)


def command(words: str) -> argparse.ArgumentParser:
    """Return the parser of one command."""
    parser = build_parser(words.split())
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
    args = ["train", "--architecture", architecture]
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
