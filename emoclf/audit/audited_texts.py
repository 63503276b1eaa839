"""The texts of all sets of an audit in one list, with their groups of duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.duplicates import group_parts
from emoclf.datasets.labels import Label
from emoclf.datasets.rows import names_of
from emoclf.display import printable, shorten_text
from emoclf.doctor.findings import Finding
from emoclf.errors import DataError, setting
from emoclf.settings import TextSettings
from emoclf.text.encoder import new_tokenizer

MAX_EXAMPLES = 3


class AuditedTexts:
    """Texts and labels of a training set and, if there are any, of other sets.

    Parameters
    ----------
    parts : mapping of str to Dataset
        Sets by name, the training set first.
    near_duplicates : float in (0, 1]
    text : TextSettings
        Settings of the tokens.

    Raises
    ------
    DataError
        If one set has one label for each text and another has lists of labels.
    """

    def __init__(
        self,
        parts: Mapping[str, Dataset],
        *,
        near_duplicates: float,
        text: TextSettings,
    ) -> None:
        self.parts = dict(parts)
        self.text_settings = text
        kinds = {part.multilabel for part in self.parts.values() if len(part)}
        if len(kinds) > 1:
            raise DataError(
                "Some of the sets have one label for each text, and others have lists "
                f"of labels. Read all with the same {setting('label_separator')}."
            )
        self.multilabel = kinds == {True}
        datasets = [*self.parts.values()]
        self.exact = np.concatenate(group_parts(datasets, 1.0))
        self.near = np.concatenate(group_parts(datasets, near_duplicates))
        self.starts = np.cumsum([0, *map(len, datasets)]).tolist()
        self.texts: list[str] = [text for part in datasets for text in part.texts]
        self.labels: list[Label] = [label for part in datasets for label in part.labels]
        self.label_names = tuple(
            dict.fromkeys(name for part in datasets for name in part.label_names)
        )

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def tokens(self) -> list[list[str]]:
        """Tokens of each text, as a training has them; equal ones are one object."""
        same: dict[str, str] = {}
        tokenize = new_tokenizer(self.text_settings).tokens
        left_out = frozenset(self.text_settings.stop_words)
        return [
            [same.setdefault(x, x) for x in tokenize(text) if x not in left_out]
            for text in self.texts
        ]

    @property
    def train_tokens(self) -> list[list[str]]:
        """Tokens of each text of the first set, the training set."""
        return self.tokens[: self.starts[1]]

    @cached_property
    def part_numbers(self) -> np.ndarray:
        """Number of the set of each text, int64 of shape (n_texts,)."""
        return np.repeat(np.arange(len(self.parts)), np.diff(self.starts))

    def of_part(self, name: str) -> slice:
        """Return the positions of a set."""
        number = list(self.parts).index(name)
        return slice(*self.starts[number : number + 2])

    def origin(self, position: int) -> tuple[str, Dataset, int]:
        """Return the name of the set of a text, the set, and the position in it."""
        number = int(self.part_numbers[position])
        name, dataset = list(self.parts.items())[number]
        return name, dataset, position - self.starts[number]

    def place(self, position: int) -> str:
        """Return the place of a text, such as ``valid, line 18``."""
        name, dataset, index = self.origin(position)
        location = dataset.place(index)
        return location if len(self.parts) == 1 else f"{name}, {location}"

    def example(self, position: int) -> str:
        """Return the place of a text, its beginning and its label."""
        label = ", ".join(names_of(self.labels[position])) or "no label"
        text = shorten_text(" ".join(self.texts[position].split()))
        return printable(f"{self.place(position)}: {text!r} ({label})")

    def examples(self, positions: Iterable[int]) -> list[str]:
        """Return the first few examples of texts."""
        first = [int(position) for position in positions][:MAX_EXAMPLES]
        return list(map(self.example, first))

    def where(self, predicate: Callable[[str], bool]) -> list[int]:
        """Return the positions of the texts for which a function is true."""
        return [i for i, text in enumerate(self.texts) if predicate(text)]

    def share(self, positions: Sequence[int] | np.ndarray) -> float:
        """Return the share of all texts that these are."""
        return len(positions) / max(len(self), 1)

    def evidence(self, positions: Sequence[int] | np.ndarray) -> dict[str, object]:
        """Return number, share and examples of texts, for a finding."""
        return {
            "texts": len(positions),
            "share": self.share(positions),
            "examples": self.examples(positions),
        }

    def finding(
        self,
        name: str,
        severity: str,
        positions: Sequence[int] | np.ndarray,
        predicate: str,
        causes: tuple[str, ...],
        cures: tuple[str, ...],
        **more: object,
    ) -> list[Finding]:
        """Return a finding about some of the texts, or nothing if there are none.

        Parameters
        ----------
        name, severity, causes, cures
            As in :class:`Finding`.
        positions : sequence of int
        predicate : str
            Rest of a sentence that begins with "12 texts (3.4%)".
        **more
            Evidence beside that of :meth:`evidence`.
        """
        if not len(positions):
            return []
        message = f"{len(positions):,} texts ({self.share(positions):.1%}) {predicate}"
        evidence = {**self.evidence(positions), **more}
        return [Finding(name, severity, message, evidence, causes, cures)]
