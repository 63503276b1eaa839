"""The search space: one TOML file for each architecture, or the user's own.

A table is named after a setting and contains its possible values::

    [learning_rate]
    low = 2e-4
    high = 5e-3
    log = true

    [max_norm]
    choices = [1.0, 3.0, "none"]        # "none": no limit

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
    when = { optimizer = ["adamw"] }    # needs a table [optimizer] with choices above
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
from emoclf.settings.sections import BATCH, RANDOM_DIM

from .dimension import NO_VECTORS, VECTORS, Choices, Dimension, Range, settings_of
from .space_file import read_dimensions

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Space:
    """Search space of one architecture.

    Parameters
    ----------
    architecture : str
    dimensions : tuple of Dimension
        Dimensions in the order of the file.
    name : str
        Name of the document in error messages.

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
        cls,
        architecture: str,
        path: Space | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    ) -> Space:
        """Return the space in a file, or the packaged space of an architecture.

        Parameters
        ----------
        architecture : str
        path : path, mapping or Space, optional
            TOML file, its tables, or a space, which is returned as it is; default: the
            packaged space.

        Raises
        ------
        SearchError
            If the file cannot be read, is not TOML, or contains a mistake.
        """
        if isinstance(path, Space):
            return path
        if isinstance(path, Mapping):
            return cls.from_dict(architecture, path, name="space")
        if path is None:
            path = FOLDER / f"{architecture}.toml"
            if not path.is_file():
                raise SearchError(
                    "There is no built-in search space for the architecture "
                    f"{architecture!r}. Give a search space of your own: a TOML file "
                    f"like those in {FOLDER}."
                )
        if not isinstance(path, str | os.PathLike):
            raise SearchError(
                "space must be a Space, a dictionary of tables, or the path of a TOML "
                f"file. Got {path!r} ({type(path).__name__})."
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
        """Return the space in tables; ``name`` is used in error messages."""
        dimensions = read_dimensions(architecture, tables, document=name)
        return cls(architecture, dimensions, name)

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as plain values for :meth:`from_dict`."""
        return {dimension.name: dimension.to_dict() for dimension in self.dimensions}

    def names(self) -> list[str]:
        """Return the names of the searched settings."""
        return [dimension.name for dimension in self.dimensions]

    def log_names(self) -> list[str]:
        """Return the settings that are searched on a logarithmic scale."""
        return [d.name for d in self.dimensions if getattr(d.shape, "log", False)]

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the low and high end of every searched range."""
        shapes = {dimension.name: dimension.shape for dimension in self.dimensions}
        return {n: (s.low, s.high) for n, s in shapes.items() if isinstance(s, Range)}

    def varies_width(self) -> bool:
        """Return whether the width of a random embedding is searched in any case."""
        return any(one.name == "dim" and one.needs is None for one in self.dimensions)

    def for_settings(self, settings: RunSettings) -> Space:
        """Return the space around given settings, which are the first trial.

        Dimensions that need vectors, or no vectors, are dropped where the settings do
        not fit. Dimensions whose condition is on a dropped setting are dropped unless
        the given value meets the condition. Given values outside a dimension are added
        to it, so that a search never ends worse than no search.

        Raises
        ------
        SearchError
            If nothing is left, or a given value cannot be added.
        """
        if settings.architecture != self.architecture:
            raise SearchError(
                f"{self.name} is a space of {self.architecture}. Got settings of "
                f"{settings.architecture!r}. Give a space of that architecture."
            )
        dimensions: dict[str, Dimension] = {}
        for dimension in self.dimensions:
            resolved = _resolved(dimension, dimensions, settings)
            if resolved is not None:
                dimensions[dimension.name] = self._including(resolved, settings)
        if not dimensions:
            vectors = VECTORS if settings.embedding.vector_paths else NO_VECTORS
            raise SearchError(
                f"{self.name} leaves nothing to search with {vectors}. Got tables for "
                f"{', '.join(self.names())}. Add one without needs."
            )
        return replace(self, dimensions=tuple(dimensions.values()))

    def hyperparameters(self, settings: RunSettings) -> Any:
        """Return the space around these settings for keras-tuner.

        Returns
        -------
        hp : keras_tuner.HyperParameters
            Hyperparameters whose defaults are the settings. A set of kernel sizes is
            two of them, ``kernel_sizes.centre`` and ``kernel_sizes.pattern``.
        """
        # Imported here, so that reading a space does not load Keras.
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        around = self.for_settings(settings)
        by_name = {dimension.name: dimension for dimension in around.dimensions}
        for dimension in around.dimensions:
            with ExitStack() as scopes:
                for parent, values in _conditions(dimension, by_name):
                    scopes.enter_context(hp.conditional_scope(parent, values))
                default = effective_value(settings, dimension.name)
                dimension.shape.declare(hp, dimension.name, default)
        return hp

    def decode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings from keras-tuner's values: plain values by name.

        Values whose condition does not hold are left out. Values that
        :meth:`for_settings` added are decoded like any other.
        """
        settings = settings_of(self.architecture)
        declared = {name.partition(".")[0] for name in values}
        decoded: dict[str, Any] = {}
        for dimension in self.dimensions:
            when = dimension.when
            # for_settings() may have dropped the parent.
            if when is not None and when.parent in declared:
                allowed = [list(v) if isinstance(v, tuple) else v for v in when.values]
                if when.parent not in decoded or decoded[when.parent] not in allowed:
                    continue
            if dimension.name in declared:
                setting = settings[dimension.name]
                decoded[dimension.name] = dimension.shape.decode(setting, values)
        return decoded

    def settings(
        self, base: RunSettings, values: Mapping[str, Any], *, seed: int
    ) -> RunSettings:
        """Return the settings of one trial."""
        return base.override(**self.decode(values), seed=seed)

    def _including(self, dimension: Dimension, settings: RunSettings) -> Dimension:
        """Return a dimension with the given value added."""
        name, shape = dimension.name, dimension.shape
        location, value = f"{self.name}, [{name}]", effective_value(settings, name)
        _check_effect(dimension, settings, location)
        if isinstance(value, Mapping):
            raise SearchError(
                f"{location}: a table cannot be searched. Got {name} = {value!r} in "
                f"the settings. Remove it from the settings, or remove [{name}] here."
            )
        if value is None and not isinstance(shape, Choices):
            raise SearchError(
                f"{location}: a range cannot contain None. Got {name} = None in the "
                f'settings. Write choices with "none" among them, or give {name} in '
                "the settings."
            )
        if isinstance(shape, Range) and shape.log and value <= 0:
            raise SearchError(
                f"{location}: a range with log cannot contain {value!r}. Got {name} = "
                f"{value!r} in the settings. Give another value there, or write "
                "choices."
            )
        return replace(dimension, shape=shape.including(value))


def effective_value(settings: RunSettings, name: str) -> Any:
    """Return the value that a training uses for a setting, given or not."""
    value = settings.flat()[name]
    defaults = {
        "learning_rate": settings.training.rate,
        "batch_size": BATCH,
        "dim": RANDOM_DIM,
        "embedding": "non-static" if settings.embedding.vector_paths else "random",
        "bigram_buckets": BUCKETS,
    }
    return defaults.get(name) if value is None else value


def _resolved(
    dimension: Dimension, dimensions: Mapping[str, Dimension], settings: RunSettings
) -> Dimension | None:
    """Return the dimension without a condition on a dropped one, or None."""
    vectors = VECTORS if settings.embedding.vector_paths else NO_VECTORS
    if dimension.needs not in (None, vectors):
        return None
    when = dimension.when
    if when is None or when.parent in dimensions:
        return dimension
    if effective_value(settings, when.parent) not in when.values:
        return None
    return replace(dimension, when=None)


def _check_effect(dimension: Dimension, settings: RunSettings, location: str) -> None:
    """Refuse a dimension that fails or has no effect in all trials but the first."""
    name, vectors = dimension.name, settings.embedding.vector_paths
    if not vectors and name in ("embedding", "vector_words"):
        problem, cure = "has no effect without word vectors", VECTORS
    elif name == "dim" and vectors and not _random(dimension, settings):
        problem, cure = "has no effect: the vectors have a width", NO_VECTORS
    else:
        return
    given = settings.embedding.vectors
    raise SearchError(
        f"{location}: {name} {problem}. Got vectors = {given!r} in the settings. Write "
        f'needs = "{cure}" into the table, or remove it.'
    )


def _random(dimension: Dimension, settings: RunSettings) -> bool:
    """Return whether a dimension is about a random embedding."""
    if dimension.when is not None and dimension.when.parent == "embedding":
        return dimension.when.values == ("random",)
    return effective_value(settings, "embedding") == "random"


def _conditions(
    dimension: Dimension, by_name: Mapping[str, Dimension]
) -> list[tuple[str, list[Any]]]:
    """Return the conditions of a dimension, those of its parents first."""
    conditions: list[tuple[str, list[Any]]] = []
    while dimension.when is not None:
        parent = by_name[dimension.when.parent]
        assert isinstance(parent.shape, Choices)
        values = [parent.shape.encode(value) for value in dimension.when.values]
        conditions.insert(0, (parent.name, values))
        dimension = parent
    return conditions
