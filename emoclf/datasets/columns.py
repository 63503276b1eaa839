"""Find the columns of texts and labels by the names given, or by the usual ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from emoclf.datasets.cells import shorten
from emoclf.errors import DataError, did_you_mean
from emoclf.settings import DataSettings

TEXT_NAMES = [
    "text",
    "texts",
    "sentence",
    "sentences",
    "content",
    "review",
    "reviews",
    "tweet",
    "tweets",
    "comment",
    "comments",
    "message",
    "utterance",
    "document",
    "post",
    "body",
    "situation",
    "description",
    "reviewtext",
    "review_text",
    "text_content",
    "clean_text",
    "raw_text",
]
LABEL_NAMES = [
    "label",
    "labels",
    "emotion",
    "emotions",
    "sentiment",
    "sentiments",
    "class",
    "category",
    "target",
    "polarity",
    "topic",
    "feeling",
    "mood",
]

_USUAL = {"text_column": (TEXT_NAMES, "texts"), "label_column": (LABEL_NAMES, "labels")}


class Columns(NamedTuple):
    """Positions of the columns; ``split`` only if one was named."""

    text: int
    label: int
    split: int | None


def find_columns(
    columns: Sequence[str], settings: DataSettings, *, source: str, cure: str = ""
) -> Columns:
    """Find the columns that the settings name, or those that are usually meant.

    Parameters
    ----------
    columns : sequence of str
        The names there are, in order.
    settings : DataSettings
    source : str
        What errors call the file.
    cure : str
        A further way out, added to the error when no usual name is there.

    Raises
    ------
    DataError
        If a column is missing (the message lists those there are and the nearest),
        stands there twice, or if several could be meant.
    """
    named = {
        setting: _named(columns, name, source=source)
        for setting in ("text_column", "label_column", "split_column")
        if (name := getattr(settings, setting)) is not None
    }
    for setting in _USUAL:
        if setting not in named:
            taken = named.values()
            named[setting] = _usual(columns, setting, taken, source=source, cure=cure)
    if len(set(named.values())) < len(named):
        raise DataError(
            f"{source}: texts, labels and parts must stand in different columns. "
            f"Got {', '.join(f'{s}={columns[i]!r}' for s, i in named.items())} instead."
        )
    return Columns(
        named["text_column"], named["label_column"], named.get("split_column")
    )


def find_text(
    columns: Sequence[str], name: str | None, *, source: str, cure: str = ""
) -> int:
    """Find the column of the texts alone, named or usually called so.

    Raises
    ------
    DataError
        As :func:`find_columns` does.
    """
    if name is not None:
        return _named(columns, name, source=source)
    return _usual(columns, "text_column", (), source=source, cure=cure)


def by_number(columns: Sequence[str], settings: DataSettings) -> bool:
    """Say whether the settings count columns ("1") in a file without a header.

    A column that has the number as its name is meant by name.
    """
    named = [settings.text_column, settings.label_column, settings.split_column]
    given = [name for name in named if name is not None]
    return bool(given) and all(
        name.isascii() and name.isdigit() and name not in columns for name in given
    )


def _named(columns: Sequence[str], name: str, *, source: str) -> int:
    count = list(columns).count(name)
    if count > 1:
        raise DataError(f"{source} has {count} columns {name!r}. Rename one of them.")
    if count == 0:
        near = did_you_mean(name, columns)
        if not near:  # difflib minds case; people do not
            lower = {column.strip().casefold(): column for column in columns}
            match = lower.get(name.strip().casefold())
            near = f" Did you mean {match!r}?" if match is not None else ""
        cure = " If there is no header, count all columns." if name.isdigit() else ""
        raise DataError(
            f"{source} has no column {name!r}.{near} Its columns: {_listed(columns)}."
            f"{cure}"
        )
    return list(columns).index(name)


def _usual(
    columns: Sequence[str],
    setting: str,
    taken: Collection[int],
    *,
    source: str,
    cure: str,
) -> int:
    usual, what = _USUAL[setting]
    free = [i for i in range(len(columns)) if i not in taken]
    found = [i for i in free if columns[i].strip().casefold() in usual]
    if len(found) != 1:
        names = [columns[i] for i in found]
        raise DataError(_not_one(columns, names, what, setting, source, cure))
    return found[0]


def _not_one(
    columns: Sequence[str],
    found: Sequence[str],
    what: str,
    setting: str,
    source: str,
    cure: str,
) -> str:
    if found:
        return (
            f"{source} has {len(found)} columns that may hold the {what}: "
            f"{_listed(found)}. Say which one with {setting}."
        )
    return (
        f"{source} has no column that is usually called {what} (text, sentence, …; "
        f"label, emotion, sentiment, …). Its columns: {_listed(columns)}. "
        f"Say which one holds the {what} with {setting}.{cure}"
    )


def _listed(columns: Sequence[str]) -> str:
    return shorten(
        (repr(c if len(c) <= 60 else c[:59] + "…") for c in columns), limit=30
    )
