"""Parsers, common options, standard input and JSON for all commands."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import gzip
import json
import os
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from emoclf.datasets.recognition import JSON_ARRAY, LABEL_PREFIX
from emoclf.display import printable
from emoclf.errors import BundleError, did_you_mean
from emoclf.ready import READY, model_path

#: Option that shows the less common options too.
HELP_ALL = "--help-all"
#: Longest error about a wrong call, which may quote a value of any length.
MAX_ERROR = 500
#: Positional arguments by their names in a usage line.
ARGUMENTS = {
    "BUNDLE": "folder written by 'emoclf train'",
    "DATA": "labelled file: CSV, TSV, JSON Lines or Parquet, plain or .gz; -: stdin",
    "MODEL": "folder written by 'emoclf train' or 'emoclf export'; or "
    f"{', '.join(READY)}",
    "SEARCH": "folder of the search",
}


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong call on one line, without the usage."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Reject unknown arguments here, so that the error names the subcommand."""
        # Before argparse misses a required option whose name is mistyped.
        self._check_options(sys.argv[1:] if args is None else args)
        namespace, unknown = super().parse_known_args(args, namespace)
        unknown = self._fill_positionals(namespace, unknown)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    def _fill_positionals(self, namespace: Any, words: list[str]) -> list[str]:
        """Give left-over words to optional arguments, and return the other words.

        In ``predict MODEL -o FILE INPUT`` argparse takes INPUT as absent, because an
        option follows MODEL. Words on both sides of options are refused: one may be
        meant as the value of an option that takes none.
        """
        begin = words.index("--") if "--" in words else len(words)
        values: list[str] = []
        others: list[str] = []
        for word in words[:begin]:
            is_option = word.startswith("-") and not re.match(r"-(\d|$|.* )", word)
            (others if is_option else values).append(word)
        values += words[begin + 1 :]
        for action in self._actions:
            if action.option_strings or not values:
                continue
            given = getattr(namespace, action.dest, None)
            if action.nargs == "*" and not given:
                setattr(namespace, action.dest, values)
                return others
            if action.nargs == "?" and given is None:
                setattr(namespace, action.dest, values[0])
                return [*others, *values[1:]]
        return [*others, *values]

    def _check_options(self, args: Sequence[str]) -> None:
        """Report the first unknown option, with the nearest one that exists."""
        names = self._option_string_actions
        for arg in args:
            # A subcommand has options of its own.
            if arg == "--" or (self._subparsers and not arg.startswith("-")):
                return
            name = arg.partition("=")[0]
            # An argument with a space is a value, such as a text.
            if arg.startswith("--") and not {arg, name} & set(names) and " " not in arg:
                starts = [full for full in names if full.startswith(name)]
                suggestion = did_you_mean(name, names)
                if starts:
                    suggestion = f" Did you mean {starts[0]!r}?"
                self.error(f"there is no option {name}.{suggestion}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Report a wrong choice, such as a mistyped command, with the nearest one."""
        if action.choices is not None and value not in action.choices:
            choices = list(map(str, action.choices))
            message = (
                f"invalid choice: {value!r}.{did_you_mean(str(value), choices)} "
                f"Choose from: {', '.join(choices)}"
            )
            raise argparse.ArgumentError(action, message)

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        text = textwrap.shorten(printable(message), MAX_ERROR, placeholder=" …")
        self.exit(2, f"{self.prog}: {text}\nSee: {self.prog} --help\n")


def new_command(
    subparsers: Any,
    name: str,
    *,
    help: str,
    example: str,
    arguments: str = "",
    details: str = "",
    has_result: bool = True,
) -> argparse.ArgumentParser:
    """Add a command with its arguments in ``ARGUMENTS``.

    Parameters
    ----------
    subparsers : object
        Return value of ``add_subparsers``.
    name : str
    help : str
        Description in the list of commands.
    example : str
        Command lines at the end of the command's own help.
    arguments : str
        Positional arguments in the usage line.
    details : str
        Sentences that follow the description in the command's own help.
    has_result : bool, default=True
        Add the options for printing a result and progress.
    """
    description = f"{help[0].upper()}{help[1:]}. {details}"
    parser = subparsers.add_parser(
        name,
        help=help,
        usage=f"%(prog)s [OPTIONS] {arguments}".rstrip(),
        description=textwrap.fill(description, 79, break_on_hyphens=False),
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for word in arguments.split():
        if word in ARGUMENTS:
            kinds = {"MODEL": model_argument, "BUNDLE": bundle_argument}
            kind = kinds.get(word, str)
            text = ARGUMENTS[word]
            parser.add_argument(word.lower(), metavar=word, type=kind, help=text)
    if has_result:
        group = parser.add_argument_group("output")
        add_option(group, "--json", "print the result as JSON")
        add_option(group, "--quiet", "print no progress, only warnings")
    return parser


def new_group(subparsers: Any, name: str, help: str) -> Any:
    """Add a command that has commands of its own, and return what adds them."""
    parser = subparsers.add_parser(
        name,
        help=help,
        usage="%(prog)s COMMAND [OPTIONS]",
        description=f"{help[0].upper()}{help[1:]}.",
    )
    return parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, prog=f"emoclf {name}"
    )


def model_argument(text: str) -> str:
    """Return the path of a model, which may be a ready one."""
    try:
        return model_path(text)
    except BundleError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def bundle_argument(text: str) -> str:
    """Return the path of a bundle, which a ready classifier is not."""
    if text in READY and not os.path.exists(text):
        raise argparse.ArgumentTypeError(
            f"{text} is a ready classifier, a folded export, and not a bundle. Name a "
            "folder that 'emoclf train' has written."
        )
    return text


def add_option(parser: Any, names: str, help: str, **options: Any) -> Any:
    """Add an option and return its action; its help ends with its default.

    Parameters
    ----------
    parser : ArgumentParser or group of arguments
    names : str
        Names and placeholder of the value, such as ``"-o --output FOLDER"``. Without a
        placeholder and choices it is a switch.
    help : str
    **options : object
        Arguments of ``add_argument``; by default ``type`` is that of ``default``.
    """
    flags = names.split()
    if not flags[-1].startswith("-"):
        options["metavar"] = flags.pop()
    elif "choices" not in options:
        options["action"] = "store_true"
    default = options.get("default")
    if options.get("required"):
        help += " (required)"
    elif default not in (None, "", [], argparse.SUPPRESS):
        help += f" (default: {default})"
        options.setdefault("type", type(default))
    return parser.add_argument(*flags, help=help, **options)


def add_encoder_option(parser: Any, model: str = "MODEL") -> None:
    """Add the place of the encoder of a classifier that was trained with one."""
    add_option(
        parser,
        "--encoder FOLDER",
        f"transformer encoder of {model}, if it is not where it was in training",
    )


def encoder_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of ``load_classifier`` for the encoder that was given."""
    return {} if args.encoder is None else {"encoder": args.encoder}


def add_overwrite_option(parser: Any, target: str, *, old_name: str = "") -> None:
    """Add ``--overwrite``; an old name of it works and is not shown."""
    add_option(parser, "--overwrite", f"replace an existing {target}")
    if old_name:
        add_option(parser, old_name, argparse.SUPPRESS, dest="overwrite")


def print_lines(*lines: str) -> None:
    """Print lines for people."""
    print(printable("\n".join(lines), lines=True))


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    # Standard output may have an encoding without these characters.
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, indent=1, ensure_ascii=not utf8))


def print_json_or_lines(args: argparse.Namespace, result: Any) -> None:
    """Print a result as JSON if ``--json`` is given, else for people."""
    if args.json:
        print_json(result.to_dict())
    else:
        print_lines(*result.lines())


@contextlib.contextmanager
def as_file(path: str, *, ending: str = "") -> Iterator[str]:
    """Yield a path that can be read more than once; ``-`` is standard input.

    Standard input is copied into a temporary file. Without ``ending`` its first bytes
    decide whether it is gzip, Parquet, JSON, fastText's lines or CSV.
    """
    if path != "-":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "standard-input")
        with open(copy, "wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        with open(copy, "rb") as stream:
            head = stream.read(64).removeprefix(codecs.BOM_UTF8).lstrip()
        compression = ".gz" if head.startswith(b"\x1f\x8b") else ""
        if compression:
            with contextlib.suppress(OSError, EOFError), gzip.open(copy) as unpacked:
                head = unpacked.read(64).lstrip()
        if not ending:
            ending = ".parquet" if head.startswith(b"PAR1") else ".csv"
            ending = ".jsonl" if head.startswith(b"{") else ending
            text = head.decode("latin-1")
            ending = ".json" if text == "[]" or JSON_ARRAY.match(text) else ending
            ending = ".txt" if text.startswith(LABEL_PREFIX) else ending
        name = copy + ending + compression
        os.replace(copy, name)
        yield name
