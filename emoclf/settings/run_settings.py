"""Settings of one run: all sections, from flat keywords, TOML or JSON."""

from __future__ import annotations

import numbers
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from emoclf.errors import SettingsError, did_you_mean, wrong_kind
from emoclf.models.registry import ARCHITECTURES, settings_class
from emoclf.settings.base import NONE_TEXT, Settings
from emoclf.settings.sections import (
    DataSettings,
    EmbeddingSettings,
    TextSettings,
    TrainSettings,
)

SECTIONS: dict[str, type[Settings]] = {
    "data": DataSettings,
    "text": TextSettings,
    "embedding": EmbeddingSettings,
    "training": TrainSettings,
}
#: All sections in the order of files and of help.
SECTION_NAMES = ("data", "text", "embedding", "model", "training")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """All settings of a run, section by section.

    Parameters
    ----------
    architecture : str
        A name of ``emoclf.models.ARCHITECTURES``.
    seed : int
        Random seed of the split, the initial weights, the batches and dropout.
    data, text, embedding, model, training : Settings
        Sections; the architecture determines the class of ``model``.

    Examples
    --------
    >>> settings = RunSettings.from_flat(filters=50, epochs=3)
    >>> settings.model.filters, settings.training.epochs
    (50, 3)
    """

    architecture: str = "text_cnn"
    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    text: TextSettings = field(default_factory=TextSettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    model: Any = None
    training: TrainSettings = field(default_factory=TrainSettings)

    def __post_init__(self) -> None:
        model_class = section_classes(self.architecture)["model"]
        object.__setattr__(self, "seed", _checked_seed(self.seed))
        if self.model is None:
            object.__setattr__(self, "model", model_class())
        elif not isinstance(self.model, model_class):
            raise SettingsError(
                f"The architecture {self.architecture!r} takes {model_class.__name__}. "
                f"Got {type(self.model).__name__} instead."
            )

    @classmethod
    def of(cls, settings: Any, flat: Mapping[str, Any] | None = None) -> Self:
        """Return the settings that a caller gave: None, RunSettings or a mapping.

        Parameters
        ----------
        settings : RunSettings, mapping or None
        flat : mapping, optional
            Flat names that override them.

        Raises
        ------
        SettingsError
            If it is something else, a name is unknown or a value is out of range.
        """
        if settings is None or isinstance(settings, Mapping):
            return cls.from_dict(settings or {}, flat)
        if isinstance(settings, cls):
            return settings.override(**flat) if flat else settings
        raise SettingsError(
            wrong_kind(
                "settings",
                "RunSettings or a mapping of names and values",
                settings,
                "for instance {'epochs': 3}",
            )
        )

    @classmethod
    def from_flat(cls, **values: Any) -> Self:
        """Create settings from flat keywords; every name belongs to one section."""
        return cls.from_dict(values)

    @classmethod
    def from_dict(
        cls, values: Mapping[str, Any], override: Mapping[str, Any] | None = None
    ) -> Self:
        """Create settings from a mapping of sections, of flat names, or of both.

        A flat name overrides the same name in its section.

        Parameters
        ----------
        values : mapping
        override : mapping, optional
            Flat names that override all of ``values``, such as options of the command
            line over a file.

        Raises
        ------
        SettingsError
            If a name is unknown or a value is out of range.
        """
        values, flat = dict(values), dict(override or {})
        top = {
            key: mapping.pop(key)
            for mapping in (values, flat)
            for key in ("architecture", "seed")
            if key in mapping
        }
        architecture = top.get("architecture", cls.architecture)
        classes = section_classes(architecture)
        tables: dict[str, dict[str, Any]] = {name: {} for name in classes}
        for name, table in tables.items():
            # "embedding" is a section and a setting in it: a mapping is the section.
            if isinstance(values.get(name), Mapping):
                table.update(values.pop(name))
        for key, value in (*values.items(), *flat.items()):
            tables[section_of(key, classes)][key] = value
        sections: dict[str, Any] = {
            name: classes[name].from_dict(table) for name, table in tables.items()
        }
        return cls(**top, **sections)

    @classmethod
    def from_stored(cls, values: Mapping[str, Any]) -> Self:
        """Create settings from those of a bundle or a search.

        Until 0.3.0 the embedding was random where no vectors were named, and such
        settings were written without them.
        """
        embedding = {"vectors": NONE_TEXT, **values.get("embedding", {})}
        return cls.from_dict({**values, "embedding": embedding})

    def override(self, **values: Any) -> Self:
        """Return a copy with flat names replaced."""
        architecture = values.pop("architecture", self.architecture)
        merged = self.to_dict()
        if architecture != self.architecture:
            merged["architecture"] = architecture
            merged.pop("model")
        return type(self).from_dict(merged, values)

    def replace(self, **sections: Any) -> Self:
        """Return a copy with whole sections replaced."""
        return replace(self, **sections)

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain values, without None where it is the default."""
        tables = {name: getattr(self, name).to_dict() for name in SECTION_NAMES}
        return {"architecture": self.architecture, "seed": self.seed, **tables}

    def flat(self) -> dict[str, Any]:
        """Return every setting in force by its name."""
        sections = [getattr(self, name) for name in SECTION_NAMES]
        return {name: getattr(s, name) for s in sections for name in s.names()}

    def to_toml(self) -> str:
        """Return the settings as a TOML document."""
        # Imported here, because predicting with an export never writes TOML.
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str, *, name: str = "settings") -> Self:
        """Read settings from a TOML document; errors contain its ``name``."""
        return cls.from_dict(parse_toml(text, name=name))


def _checked_seed(seed: Any) -> int:
    is_whole = isinstance(seed, numbers.Integral) and not isinstance(seed, bool)
    if not is_whole or not 0 <= seed < 2**32:
        raise SettingsError(
            f"The seed must be a whole number from 0 to 4294967295. Got {seed!r} "
            "instead."
        )
    # Python's random takes no integers of NumPy.
    return int(seed)


def section_classes(architecture: str) -> dict[str, type[Settings]]:
    """Return the class of each section of a run with this architecture."""
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        raise SettingsError(
            f"There is no architecture {architecture!r}."
            f"{did_you_mean(architecture, ARCHITECTURES)} "
            f"Known: {', '.join(ARCHITECTURES)}."
        )
    return {**SECTIONS, "model": settings_class(architecture)}


def section_of(key: str, sections: Mapping[str, type[Settings]]) -> str:
    """Return the name of the section that contains a setting."""
    for name, section in sections.items():
        if key in section.names():
            return name
    if key in sections:
        raise SettingsError(
            f"{key!r} is a section and must be a table of settings, for instance "
            f"{key}.{sections[key].names()[0]}."
        )
    names = [name for section in sections.values() for name in section.names()]
    names += ["architecture", "seed"]
    raise SettingsError(
        f"There is no setting {key!r}.{did_you_mean(key, names)} "
        f"Known: {', '.join(sorted(names))}."
    )


def parse_toml(text: str, *, name: str) -> dict[str, Any]:
    """Parse TOML; a syntax error becomes a SettingsError with the document's name."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name} is not valid TOML: {error}.") from None
    except RecursionError:
        raise SettingsError(f"{name} is nested too deeply.") from None


def read_settings_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a settings file into a mapping for :meth:`RunSettings.from_dict`.

    Raises
    ------
    SettingsError
        If the file cannot be read or is not TOML.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Cannot read the settings file {path}: {error}.") from None
    return parse_toml(text, name=str(path))
