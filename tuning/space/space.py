"""What a search looks at: one TOML file for each architecture, or the user's own.

A table is named after a setting and says what it may become::

    [learning_rate]
    low = 2e-4
    high = 5e-3
    log = true

    [max_norm]
    choices = [1.0, 3.0, "none"]        # "none" is left out

    [kernel_sizes]                      # or choices = [[3, 4, 5], [2, 3]]
    centre = { low = 2, high = 7 }
    patterns = [[0], [-1, 0, 1]]

    [embedding]
    choices = ["static", "non-static"]
    needs = "vectors"                   # or "no vectors"

    [weight_decay]
    low = 1e-4
    high = 1e-1
    log = true
    when = { optimizer = ["adamw"] }    # [optimizer] stands before it, with choices
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from emoclf.errors import SearchError, SettingsError
from emoclf.models.mean_embedding import BUCKETS
from emoclf.settings import RunSettings
from emoclf.settings.run_settings import parse_toml

from .dimension import NO_VECTORS, VECTORS, Choices, Dimension, Range, settings_of
from .space_file import read_dimensions

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Space:
    """What is searched for one architecture.

    Parameters
    ----------
    architecture : str
    dimensions : tuple of Dimension
        In the order of the file.
    name : str
        What errors call the document it was read from.

    Examples
    --------
    >>> "filters" in Space.load("text_cnn").names()
    True
    """

    architecture: str
    dimensions: tuple[Dimension, ...]
    name: str = field(default="the search space", compare=False)

    @classmethod
    def load(
        cls, architecture: str, path: str | os.PathLike[str] | None = None
    ) -> Self:
        """Read the packaged space of an architecture, or a file.

        Raises
        ------
        SearchError
            If the file cannot be read, is not TOML, or asks for what cannot be
            searched; or if there is no packaged space of the architecture.
        """
        if path is None:
            path = FOLDER / f"{architecture}.toml"
            if not path.is_file():
                raise SearchError(
                    "There is no built-in search space for the architecture "
                    f"{architecture!r}. Give a search space of your own: a TOML file "
                    f"like those in {FOLDER}."
                )
        name = os.fspath(path)
        try:
            text = Path(name).read_text(encoding="utf-8")
            tables = parse_toml(text, name=name)
        except (OSError, UnicodeDecodeError) as error:
            raise SearchError(
                f"Cannot read the search space {name}: {error}. Give a file like "
                f"those in {FOLDER}."
            ) from None
        except SettingsError as error:
            raise SearchError(str(error)) from None
        return cls.from_dict(architecture, tables, name=name)

    @classmethod
    def from_dict(
        cls, architecture: str, tables: Mapping[str, Any], *, name: str
    ) -> Self:
        """Make a space from tables; ``name`` is what errors call the document."""
        return cls(
            architecture, read_dimensions(architecture, tables, document=name), name
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as plain values, which :meth:`from_dict` reads again."""
        return {dimension.name: dimension.to_dict() for dimension in self.dimensions}

    def log_names(self) -> list[str]:
        """Return the settings that are searched on a scale of ratios."""
        shapes = {one.name: one.shape for one in self.dimensions}
        return [n for n, s in shapes.items() if isinstance(s, Range) and s.log]

    def names(self) -> list[str]:
        """Return the settings that are searched."""
        return [dimension.name for dimension in self.dimensions]

    def for_settings(self, settings: RunSettings) -> Space:
        """Return what is searched around these settings, which are its first trial.

        A dimension that needs vectors, or none, is dropped where they are not as it
        needs them. So is one whose condition is on a dropped setting with another value
        in force. What is given and lies outside is added, so that a search never ends
        worse than no search.

        Raises
        ------
        SearchError
            If nothing is left, or a value in force has no place in the space.
        """
        if settings.architecture != self.architecture:
            raise SearchError(
                f"{self.name} is a space of {self.architecture}. Got settings of "
                f"{settings.architecture!r}. Give a space of that architecture."
            )
        kept: dict[str, Dimension] = {}
        for dimension in self.dimensions:
            here = _resolved(dimension, kept, settings)
            if here is not None:
                kept[here.name] = self._including(here, settings)
        if not kept:
            given = VECTORS if settings.embedding.vectors else NO_VECTORS
            raise SearchError(
                f"{self.name} leaves nothing to search with {given}. Got tables for "
                f"{', '.join(self.names())}. Add one without needs."
            )
        return replace(self, dimensions=tuple(kept.values()))

    def hyperparameters(self, settings: RunSettings) -> Any:
        """Return keras-tuner's form of the space around these settings.

        Returns
        -------
        hp : keras_tuner.HyperParameters
            Its defaults are the settings in force. A set of kernel sizes is two of its
            values, ``kernel_sizes.centre`` and ``kernel_sizes.pattern``.
        """
        # Loaded here: to read and check a space takes no Keras.
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        around = self.for_settings(settings)
        by_name = {dimension.name: dimension for dimension in around.dimensions}
        for dimension in around.dimensions:
            with ExitStack() as scopes:
                for parent, values in _conditions(dimension, by_name):
                    scopes.enter_context(hp.conditional_scope(parent, values))
                dimension.shape.declare(
                    hp, dimension.name, in_force(settings, dimension.name)
                )
        return hp

    def decode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings from keras-tuner's values: plain values by flat name.

        Only what is active: a value whose condition does not hold is left out. Values
        that :meth:`for_settings` added are read like any other.
        """
        settings = settings_of(self.architecture)
        told = {name.partition(".")[0] for name in values}
        found: dict[str, Any] = {}
        for dimension in self.dimensions:
            when = dimension.when
            # A parent that keras-tuner was not told of had been dropped before.
            if when is not None and when.parent in told:
                known = [_plain(value) for value in when.values]
                if when.parent not in found or found[when.parent] not in known:
                    continue
            if dimension.name in told:
                setting = settings[dimension.name]
                found[dimension.name] = dimension.shape.read(setting, values)
        return found

    def settings(
        self, base: RunSettings, values: Mapping[str, Any], *, seed: int
    ) -> RunSettings:
        """Return the settings of one trial."""
        return base.override(**self.decode(values), seed=seed)

    def _including(self, dimension: Dimension, settings: RunSettings) -> Dimension:
        """Return a dimension that has the value in force."""
        name, shape = dimension.name, dimension.shape
        place, value = f"{self.name}, [{name}]", in_force(settings, name)
        _check_effect(dimension, settings, place)
        if isinstance(value, Mapping):
            raise SearchError(
                f"{place}: a search has no place for a table. Got {name} = {value!r} "
                f"in the settings. Take it out there, or take [{name}] out here."
            )
        if value is None and not isinstance(shape, Choices):
            raise SearchError(
                f"{place}: a range has no place for {name} left out, which it is in "
                f'the settings. Write choices with "none" among them, or give {name} '
                "in the settings."
            )
        if isinstance(shape, Range) and shape.log and value <= 0:
            raise SearchError(
                f"{place}: a range with log has no place for {value!r}, which {name} "
                "is in the settings. Give another value there, or write choices."
            )
        return replace(dimension, shape=shape.including(value))


def in_force(settings: RunSettings, name: str) -> Any:
    """Return the value of a setting, given or not, that a training goes by."""
    value = settings.flat()[name]
    if value is not None:
        return value
    if name == "learning_rate":
        return settings.training.rate
    if name == "embedding":
        return "non-static" if settings.embedding.vectors else "random"
    return BUCKETS if name == "bigram_buckets" else None


def _resolved(
    dimension: Dimension, kept: Mapping[str, Dimension], settings: RunSettings
) -> Dimension | None:
    """Return the dimension if it is searched here; a condition on nothing goes."""
    vectors = VECTORS if settings.embedding.vectors else NO_VECTORS
    if dimension.needs not in (None, vectors):
        return None
    when = dimension.when
    if when is None or when.parent in kept:
        return dimension
    if in_force(settings, when.parent) not in when.values:
        return None
    return replace(dimension, when=None)


def _check_effect(dimension: Dimension, settings: RunSettings, place: str) -> None:
    """Refuse what would fail, or change nothing, in every trial but the first."""
    name, vectors = dimension.name, settings.embedding.vectors
    if vectors is None and name in ("embedding", "vector_words"):
        missing, cure = "has nothing to go by without word vectors", VECTORS
    elif name == "dim" and vectors and not _random(dimension, settings):
        missing, cure = "changes nothing: the vectors have a width", NO_VECTORS
    else:
        return
    raise SearchError(
        f"{place}: {name} {missing}. Got vectors = {vectors!r} in the settings. Write "
        f'needs = "{cure}" into the table, or take it out.'
    )


def _random(dimension: Dimension, settings: RunSettings) -> bool:
    """Say whether a dimension has to do with an embedding that is drawn."""
    if dimension.when is not None and dimension.when.parent == "embedding":
        return dimension.when.values == ("random",)
    return in_force(settings, "embedding") == "random"


def _conditions(
    dimension: Dimension, by_name: Mapping[str, Dimension]
) -> list[tuple[str, list[Any]]]:
    """Return the conditions of a dimension, those of its parents first."""
    found: list[tuple[str, list[Any]]] = []
    while dimension.when is not None:
        parent = by_name[dimension.when.parent]
        assert isinstance(parent.shape, Choices)
        told = [parent.shape.told(value) for value in dimension.when.values]
        found.insert(0, (parent.name, told))
        dimension = parent
    return found


def _plain(value: Any) -> Any:
    """Return a value as :meth:`Space.decode` gives it."""
    return list(value) if isinstance(value, tuple) else value
