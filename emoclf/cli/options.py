"""Command-line options that are derived from the settings."""

from __future__ import annotations

import argparse
import os
import typing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields
from functools import partial
from typing import Any

from emoclf.cli.shared import HELP_ALL, add_option
from emoclf.errors import SettingsError, setting
from emoclf.models.registry import ARCHITECTURES
from emoclf.settings import RunSettings, Settings, read_settings_file
from emoclf.settings.base import declared_types, kinds_of
from emoclf.settings.run_settings import SECTION_NAMES, section_classes

#: Prefix of the parser's destinations that are settings.
PREFIX = "setting:"
#: Settings that --help shows beside those of data; --help-all shows all of them.
COMMON_SETTINGS = (
    "tokenizer vectors encoder embedding dim epochs batch_size learning_rate optimizer "
    "patience class_weight kernel_sizes filters units dropout"
).split()
METAVARS: dict[Any, str] = {int: "N", float: "X", str: "TEXT", dict: "LABEL=VALUE,…"}
NAMED_METAVARS = {
    "vectors": "FILE,…",
    "labels_file": "FILE,…",
    "text_column": "NAME",
    "label_column": "NAME",
    "split_column": "NAME",
    "unlabelled_column": "NAME",
    "format": "NAME",
    "encoding": "NAME",
    "encoder": "NAME",
}
NOUNS = {int: "a whole number", float: "a number", bool: "yes or no"}
BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}


def add_settings(
    parser: argparse.ArgumentParser,
    *,
    argv: Sequence[str] = (),
    only: Sequence[str] = SECTION_NAMES,
    architecture: str = RunSettings.architecture,
) -> None:
    """Add ``--config`` and one option for each setting.

    Parameters
    ----------
    parser : ArgumentParser
    argv : sequence of str
        Command line; the settings of its ``--architecture`` become options.
    only : sequence of str
        Sections to add.
    architecture : str
        Default of ``--architecture``.
    """
    default = RunSettings()
    text = "show all options; --help shows the common ones"
    parser.add_argument(HELP_ALL, action="help", help=text)
    group = parser.add_argument_group("run settings")
    add_config_option(group)
    common: dict[str, Any] = {"default": argparse.SUPPRESS}
    text = f"network: {', '.join(ARCHITECTURES)} (default: {architecture})"
    dest = PREFIX + "architecture"
    names = add_option(group, "--architecture NAME", text, dest=dest, **common)
    # argcomplete offers these values; argparse would refuse others without advice.
    names.completer = lambda **_: list(ARCHITECTURES)
    text = (
        f"random seed of split, weights, batches and dropout (default: {default.seed})"
    )
    add_option(group, "--seed N", text, type=int, dest=PREFIX + "seed", **common)
    architecture = _architecture(argv, architecture)
    for name, section in section_classes(architecture).items():
        if name in only:
            title = f"{name} settings"
            if name == "model":
                title += f" of {architecture}; others: --architecture NAME --help"
            shows_all = name == "data" or HELP_ALL in argv
            shown = None if shows_all else COMMON_SETTINGS
            add_section(parser, title, section, shown=shown)


def add_config_option(parser: Any) -> None:
    """Add ``--config``."""
    text = "settings file (TOML); options override it"
    add_option(parser, "--config FILE", text)


def add_section(
    parser: argparse.ArgumentParser,
    title: str,
    section: type[Settings],
    *,
    only: Sequence[str] | None = None,
    shown: Sequence[str] | None = None,
) -> None:
    """Add one option for each setting of a section, or for some of them.

    Parameters
    ----------
    parser : ArgumentParser
    title : str
    section : type of Settings
    only : sequence of str, optional
        Settings to add.
    shown : sequence of str, optional
        Settings that help shows; the other ones work without being shown.
    """
    group = parser.add_argument_group(title)
    for field in fields(section):
        if only is None or field.name in only:
            is_shown = shown is None or field.name in shown
            add_setting(group, section, field, is_shown=is_shown)


def settings_from(args: argparse.Namespace) -> RunSettings:
    """Return the settings in force: defaults, then the file, then options."""
    values = read_settings_file(args.config) if args.config else {}
    with errors_name_options(args):
        return RunSettings.from_dict(values, given_settings(args))


@contextmanager
def errors_name_options(args: argparse.Namespace) -> Iterator[None]:
    """Name the option in an error about a setting that was given as one."""
    try:
        yield
    except SettingsError as error:
        if error.name in given_settings(args):
            raise SettingsError(f"{setting(error.name)} {error.problem}") from None
        raise


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given as options."""
    return {
        key.removeprefix(PREFIX): value
        for key, value in vars(args).items()
        if key.startswith(PREFIX)
    }


def pop_settings(section: type[Settings], given: dict[str, Any]) -> dict[str, Any]:
    """Remove the settings of a section from those given, and return them."""
    return {name: given.pop(name) for name in section.names() if name in given}


def _architecture(argv: Sequence[str], default: str) -> str:
    """Find the architecture before the parser is complete."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    # The complete parser reports missing values.
    finder.add_argument("--architecture", nargs="?")
    finder.add_argument("--config", nargs="?")
    args, _ = finder.parse_known_args(list(argv))
    if args.architecture or not args.config:
        return args.architecture or default
    return read_settings_file(args.config).get("architecture", default)


def add_setting(
    group: Any, section: type[Settings], field: Field, *, is_shown: bool = True
) -> None:
    """Add the option of one setting."""
    flag = "--" + field.name.replace("_", "-")
    kinds = kinds_of(declared_types(section)[field.name])
    choices = field.metadata["choices"]
    metavar = "{" + ",".join(choices) + "}" if choices else _metavar(kinds)
    options: dict[str, Any] = {
        "type": partial(_parse, kinds),
        "metavar": NAMED_METAVARS.get(field.name, metavar),
    }
    if bool in kinds:
        options = {"action": argparse.BooleanOptionalAction}
    text = (field.metadata["help"] + _default_note(field)).replace("%", "%%")
    action = group.add_argument(
        flag,
        dest=PREFIX + field.name,
        default=argparse.SUPPRESS,
        help=text if is_shown else argparse.SUPPRESS,
        **options,
    )
    if choices:
        action.completer = lambda **_: choices


def parse_value(section: type[Settings], name: str, text: str) -> Any:
    """Parse one value of a setting as its option does.

    Raises
    ------
    SettingsError
        If the text is not a value of this setting.
    """
    try:
        return _parse(kinds_of(declared_types(section)[name]), text)
    except argparse.ArgumentTypeError as error:
        raise SettingsError(f"{name} {error}") from None


def _default_note(field: Field) -> str:
    default = field.default
    if default is None or default == ():
        return ""
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    elif isinstance(default, bool):
        default = "yes" if default else "no"
    elif isinstance(default, float):
        default = f"{default:g}"
    return f" (default: {default})"


def _metavar(kinds: Sequence[Any]) -> str:
    return "|".join(METAVARS[kind] for kind in kinds if kind in METAVARS) or "A,B,…"


def _parse(kinds: Sequence[Any], text: str) -> Any:
    """Parse a text to a value of one of these types."""
    if type(None) in kinds and text.lower() == "none":
        return None
    for kind in kinds:
        if typing.get_origin(kind) is tuple:
            if str in kinds and os.path.exists(text):
                return text
            item = typing.get_args(kind)[0]
            return tuple(_item(item, part.strip()) for part in text.split(",") if part)
        if kind is dict and "=" in text:
            return _table(text)
        if kind in (int, float, bool):
            return _item(kind, text)
    if str in kinds:
        return text
    raise argparse.ArgumentTypeError(f"must be {_metavar(kinds)}. Got {text!r}.")


def _item(kind: type, text: str) -> Any:
    try:
        return BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"must be {NOUNS[kind]}. Got {text!r}."
        ) from None


def _table(text: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = map(str.strip, part.partition("="))
        if not equals:
            raise argparse.ArgumentTypeError(
                f"must be written NAME=VALUE,NAME=VALUE. Got {text!r}."
            )
        try:
            values[name] = float(value)
        except ValueError:
            values[name] = value
    return values
