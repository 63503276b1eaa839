"""Command-line options made from the settings, so that no option is written twice."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from typing import Any

from emoclf.errors import SettingsError, setting
from emoclf.settings import RunSettings, Settings, read_settings_file
from emoclf.settings.base import kinds_of
from emoclf.settings.run_settings import section_classes

GIVEN = "setting:"


def add_settings(
    parser: argparse.ArgumentParser,
    *,
    argv: Sequence[str] = (),
    only: Sequence[str] = ("data", "text", "embedding", "model", "training"),
) -> None:
    """Add ``--config`` and one option for each setting.

    Parameters
    ----------
    parser : ArgumentParser
    argv : sequence of str
        Looked through for ``--architecture``, whose own settings become options.
    only : sequence of str
        Sections to add.
    """
    parser.add_argument(
        "--config", metavar="FILE", help="settings file (TOML); options override it"
    )
    _add(parser, "architecture", str, "name of the network (text_cnn)")
    _add(parser, "seed", int, "drives the split, the weights and the batches (0)")
    for name, section in section_classes(_architecture(argv)).items():
        if name in only:
            add_section(parser, name, section)


def add_section(
    parser: argparse.ArgumentParser,
    name: str,
    section: type[Settings],
    *,
    only: Sequence[str] | None = None,
) -> None:
    """Add one option for each setting of a section, or for some of them."""
    group = parser.add_argument_group(f"{name} settings")
    for field in fields(section):
        if only is None or field.name in only:
            _add_field(group, section, field)


def settings_from(
    args: argparse.Namespace, base: Mapping[str, Mapping[str, Any]] | None = None
) -> RunSettings:
    """Return the settings in force: defaults, then the file, then options.

    ``base`` holds sections that come before the file.
    """
    values: dict[str, Any] = dict(base or {})
    for name, value in (read_settings_file(args.config) if args.config else {}).items():
        both = isinstance(value, Mapping) and isinstance(values.get(name), Mapping)
        values[name] = {**values[name], **value} if both else value
    given = given_settings(args)
    try:
        return RunSettings.from_dict(values, given)
    except SettingsError as error:
        if error.name in given:
            raise SettingsError(f"{setting(error.name)} {error.problem}") from None
        raise


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given as options."""
    return {
        key.removeprefix(GIVEN): value
        for key, value in vars(args).items()
        if key.startswith(GIVEN)
    }


def _architecture(argv: Sequence[str]) -> str:
    """Find the architecture before the parser is complete."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    # What is missing or too much is for the real parser to say.
    finder.add_argument("--architecture", nargs="?")
    finder.add_argument("--config", nargs="?")
    found, _ = finder.parse_known_args(list(argv))
    if found.architecture:
        return found.architecture
    if found.config:
        return read_settings_file(found.config).get("architecture", "text_cnn")
    return "text_cnn"


def _add(parser: Any, name: str, kind: Callable[[str], Any], help: str) -> None:
    parser.add_argument(
        f"--{name}", dest=GIVEN + name, type=kind, default=argparse.SUPPRESS,
        metavar=kind.__name__.upper(), help=help,
    )  # fmt: skip


def _add_field(group: Any, owner: type[Settings], field: Field) -> None:
    flag = "--" + field.name.replace("_", "-")
    kinds = kinds_of(typing.get_type_hints(owner)[field.name])
    common: dict[str, Any] = {
        "dest": GIVEN + field.name,
        "default": argparse.SUPPRESS,
        "help": (field.metadata["help"] + _default_note(field)).replace("%", "%%"),
    }
    if kinds == (bool,):
        group.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
        return
    choices = field.metadata["choices"]
    metavar = "{" + ",".join(choices) + "}" if choices else _metavar(kinds)
    group.add_argument(flag, type=_reader(kinds), metavar=metavar, **common)


def read_value(owner: type[Settings], field: Field, text: str) -> Any:
    """Read one value of a setting as its option would.

    Raises
    ------
    SettingsError
        If the text is no such value.
    """
    kinds = kinds_of(typing.get_type_hints(owner)[field.name])
    if kinds == (bool,):
        known = {"yes": True, "true": True, "no": False, "false": False}
        if text.lower() in known:
            return known[text.lower()]
        raise SettingsError(f"{field.name} must be yes or no. Got {text!r} instead.")
    try:
        return _reader(kinds)(text)
    except argparse.ArgumentTypeError as error:
        raise SettingsError(f"{field.name} {error}") from None


def _default_note(field: Field) -> str:
    if field.default is None or field.default == ():
        return ""
    if isinstance(field.default, tuple):
        return f" ({','.join(map(str, field.default))})"
    if isinstance(field.default, bool):
        return " (yes)" if field.default else ""
    return f" ({field.default})"


def _metavar(kinds: Sequence[Any]) -> str:
    names: dict[Any, str] = {int: "N", float: "X", str: "TEXT", dict: "NAME=VALUE,…"}
    known = [names[kind] for kind in kinds if kind in names]
    return "|".join(known) if known else "A,B,…"


def _reader(kinds: Sequence[Any]) -> Callable[[str], Any]:
    """Return a function from an option's text to a value of one of these kinds."""

    def read(text: str) -> Any:
        if type(None) in kinds and text.lower() == "none":
            return None
        for kind in kinds:
            if typing.get_origin(kind) is tuple:
                item = typing.get_args(kind)[0]
                parts = [part.strip() for part in text.split(",") if part]
                return tuple(
                    part if item is str else _parsed(item, part) for part in parts
                )
            if kind is dict and "=" in text:
                return _table(text)
            if kind in (int, float):
                return _parsed(kind, text)
        if str in kinds:
            return text
        raise argparse.ArgumentTypeError(f"must be {_metavar(kinds)}. Got {text!r}.")

    return read


def _parsed(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        noun = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"must be {noun}. Got {text!r}.") from None


def _table(text: str) -> dict[str, Any]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not all(equals for _, equals, _ in pairs):
        raise argparse.ArgumentTypeError(
            f"must be written NAME=VALUE,NAME=VALUE. Got {text!r}."
        )
    return {name.strip(): _number(value.strip()) for name, _, value in pairs}


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
