"""Find the columns of texts and labels by their given or usual names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from emoclf.datasets.cells import shorten
from emoclf.display import shorten_text
from emoclf.errors import DataError, did_you_mean, setting

TEXT_NAMES = (
    "text texts sentence sentences content review reviews tweet tweets comment "
    "comments message utterance document post body situation description reviewtext "
    "review_text text_content clean_text raw_text"
).split()
LABEL_NAMES = (
    "label labels emotion emotions sentiment sentiments class category target polarity "
    "topic feeling mood"
).split()

_KEYS = ("text_column", "label_column", "split_column")
_USUAL_NAMES = {
    "text_column": (TEXT_NAMES, "texts"),
    "label_column": (LABEL_NAMES, "labels"),
}


class Columns(NamedTuple):
    """Positions of the columns; ``split`` only if one was named.

    ``labels`` are several if each label has a column of its own.
    """

    text: int
    labels: tuple[int, ...]
    split: int | None

    @property
    def label(self) -> int:
        """Position of the first column of labels."""
        return self.labels[0]

    def positions(self) -> list[int]:
        """Return all positions: text, labels, split."""
        all_positions = (self.text, *self.labels, self.split)
        return [position for position in all_positions if position is not None]


def find_columns(
    columns: Sequence[str],
    names: Sequence[str | None],
    *,
    label_columns: Sequence[str] = (),
    source: str,
    advice: str = "",
) -> Columns:
    """Find the columns that the user names, or those with a usual name.

    Parameters
    ----------
    columns : sequence of str
        Names of all columns, in order.
    names : sequence of str or None
        Names given for the text, label and split column.
    label_columns : sequence of str
        Names of one column for each label, or patterns with ``*``.
    source : str
        Name of the file in error messages.
    advice : str
        Added to the error when no column has a usual name.

    Raises
    ------
    DataError
        If a column is missing (the message lists the columns and the nearest name) or
        exists twice, or if several have a usual name.
    """
    where = {"source": source, "advice": advice}
    positions = {
        key: find_column(columns, name, **where)
        for key, name in zip(_KEYS, names, strict=True)
        if name is not None
    }
    if label_columns and names[1] is not None:
        raise DataError(
            f"{source}: the labels are either in one column or in a column for each "
            f"label. Got {setting('label_column', names[1])} and "
            f"{setting('label_columns', ','.join(label_columns))}; give one of them."
        )
    for key in _USUAL_NAMES:
        if key not in positions and not (label_columns and key == "label_column"):
            positions[key] = _usual(columns, key, positions.values(), **where)
    used_positions = set(positions.values())
    if len(used_positions) < len(positions):
        given = (setting(key, columns[i]) for key, i in positions.items())
        raise _not_different(source, given)
    labels = (
        _matching_columns(columns, label_columns, used_positions, source=source)
        if label_columns
        else (positions["label_column"],)
    )
    return Columns(positions["text_column"], labels, positions.get("split_column"))


def _matching_columns(
    columns: Sequence[str],
    names: Sequence[str],
    used_positions: set[int],
    *,
    source: str,
) -> tuple[int, ...]:
    """Return the columns that names and patterns mean, without those for other use."""
    matches: list[int] = []
    for name in names:
        if "*" not in name or name in columns:
            matches.append(find_column(columns, name, source=source))
            continue
        fitting = {i for i, x in enumerate(columns) if fnmatchcase(x, name)}
        if fitting <= used_positions:
            raise DataError(
                f"{source} has no column of labels like {name!r}. Its columns: "
                f"{_listed(columns)}."
            )
        matches += sorted(fitting - used_positions)
    if used_positions.intersection(matches):
        raise _not_different(source, [setting("label_columns", ",".join(names))])
    return tuple(dict.fromkeys(matches))


def _not_different(source: str, given: Iterable[str]) -> DataError:
    return DataError(
        f"{source}: texts, labels and parts must be in different columns. Got "
        f"{', '.join(given)} instead."
    )


def find_text(
    columns: Sequence[str], name: str | None, *, source: str, advice: str = ""
) -> str:
    """Return the column of the texts alone, by its given or usual name.

    Raises
    ------
    DataError
        As :func:`find_columns` does.
    """
    if name is not None:
        return columns[find_column(columns, name, source=source, advice=advice)]
    return columns[_usual(columns, "text_column", (), source=source, advice=advice)]


def has_names(
    row: Sequence[str], named: Sequence[str], header: bool | None, source: str
) -> bool:
    """Say whether the first row of a file contains the names of the columns.

    Parameters
    ----------
    row : sequence of str
    named : sequence of str
        Columns that the user has named; in a file without a header "1" is the first.
    header : bool or None
        What the user has set; None: recognised from the names, where certain.
    source : str

    Raises
    ------
    DataError
        If numbers may be names or positions.
    """
    if header is not None:
        return header
    if not named or not all(name.isascii() and name.isdigit() for name in named):
        return True
    if not all(name in row for name in named):
        return False
    if any(list(row) == [str(i + k) for i in range(len(row))] for k in (0, 1)):
        return True  # pandas numbers columns that have no names
    names = " and ".join(map(repr, named))
    raise DataError(
        f"{source}: {names} may be the {'name' if len(named) == 1 else 'names'} or the "
        f"position of a column, because the first row is {_listed(row)}. Set "
        f"{setting('header', True)} if this row contains the names of the columns, or "
        f"{setting('header', False)} if the columns are to be counted."
    )


def find_column(
    columns: Sequence[str], name: str, *, source: str, advice: str = ""
) -> int:
    """Return the position of a column; advice is added to the error if it is missing.

    Raises
    ------
    DataError
        If it is missing or exists twice.
    """
    count = list(columns).count(name)
    if count > 1:
        raise DataError(f"{source} has {count} columns {name!r}. Rename one of them.")
    if count == 0:
        suggestion = did_you_mean(name, columns)
        if not suggestion:  # difflib minds case; people do not
            lower = {column.strip().casefold(): column for column in columns}
            match = lower.get(name.strip().casefold())
            suggestion = f" Did you mean {match!r}?" if match is not None else ""
        if name.isdigit():
            advice = " If there is no header, count all columns."
        raise DataError(
            f"{source} has no column {name!r}.{suggestion} Its columns: "
            f"{_listed(columns)}.{advice}"
        )
    return list(columns).index(name)


def _usual(
    columns: Sequence[str],
    key: str,
    used_positions: Collection[int],
    *,
    source: str,
    advice: str,
) -> int:
    names, content = _USUAL_NAMES[key]
    matches = [
        i
        for i, column in enumerate(columns)
        if i not in used_positions and column.strip().casefold() in names
    ]
    if len(matches) > 1:
        raise DataError(
            f"{source} has {len(matches)} columns that may contain the {content}: "
            f"{_listed([columns[i] for i in matches])}. Name one with {setting(key)}."
        )
    if not matches:
        alternative = ""
        if key == "label_column":
            several = setting("label_columns")
            alternative = f", or one column for each label with {several}"
        raise DataError(
            f"{source} has no column with a usual name for {content} (text, sentence, "
            f"…; label, emotion, sentiment, …). Its columns: {_listed(columns)}. Name "
            f"the column that contains the {content} with {setting(key)}{alternative}."
            f"{advice}"
        )
    return matches[0]


def _listed(columns: Sequence[str]) -> str:
    return shorten((repr(shorten_text(name, 60)) for name in columns), limit=30)
