"""Messages of the library in the words of the command line.

The library names its settings as Python does (``skip_bad_rows``,
``encoding='latin-1'``); who stands at a command line can only give options.
"""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import fields

_IN_A_FILE = " has no setting "
# Arguments of predict_file and of search that are options.
_ARGUMENTS = (
    "on_error",
    "force",
    "prefix",
    "format",
    "workers",
    "precision",
    "engine",
    "folds",
    "seeds",
    "threads",
)
_BOTH = re.compile(r"\w+=True \((--[\w-]+) on the command line\)")


def as_options(message: str) -> str:
    """Name options where a message names settings.

    Examples
    --------
    >>> as_options("Drop it with skip_bad_rows, or set encoding='latin-1'.")
    'Drop it with --skip-bad-rows, or set --encoding latin-1.'
    >>> as_options("The setting 'kernel_sizes' of TextCNNSettings must be …")
    'The option --kernel-sizes must be …'
    """
    if _IN_A_FILE in message:
        # Of a settings file, where settings have their own names.
        return message
    message = _BOTH.sub(r"\1", message)
    names = _setting_names()
    any_name = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    if re.search(rf"\[({any_name})[].]", message):
        # Of a table in a file.
        return message
    # Words such as "filters" are settings only where a value is given to them.
    long_name = "|".join(re.escape(name) for name in names if "_" in name)
    for pattern, with_value in (
        (rf"[Tt]he setting '(?P<name>{any_name})' of \w+", False),
        (rf"(?<![\w./'\"-])(?P<name>{any_name})=(?P<value>'[^']*'|[^\s,;)]+)", True),
        (rf"(?<![\w./'\"-])(?P<name>{long_name})(?!\w|['\"=]|\.\w)", False),
    ):
        message = re.sub(
            pattern, functools.partial(_option, with_value=with_value), message
        )
    return message


class OptionFormatter(logging.Formatter):
    """Show what the library logs in the same words."""

    def format(self, record: logging.LogRecord) -> str:
        return as_options(super().format(record))


def _option(match: re.Match[str], *, with_value: bool) -> str:
    flag = "--" + match["name"].replace("_", "-")
    if match[0].lower().startswith("the setting"):
        return f"{match[0][0]}he option {flag}"
    if not with_value:
        return flag
    value, end = match["value"], ""
    if value[-1] in ".:" and not value.startswith("'"):
        # The end of the sentence, not of the value.
        value, end = value[:-1], value[-1]
    if value == "True":
        return flag + end
    # A shell needs quotes round a value only where it would break it.
    if re.fullmatch(r"'[\w.,/…-]+'", value):
        value = value[1:-1]
    return f"{flag} {value}{end}"


@functools.cache
def _setting_names() -> frozenset[str]:
    from emoclf.models.registry import ARCHITECTURES
    from emoclf.settings.run_settings import section_classes

    settings = (
        field.name
        for architecture in ARCHITECTURES
        for section in section_classes(architecture).values()
        for field in fields(section)
    )
    return frozenset((*settings, *_ARGUMENTS))
