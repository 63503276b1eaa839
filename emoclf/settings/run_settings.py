"""Everything that one run was told: all sections, from flat keywords, TOML or JSON."""

from __future__ import annotations

import numbers
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from emoclf.errors import SettingsError, did_you_mean
from emoclf.models.registry import ARCHITECTURES, settings_class
from emoclf.settings.base import Settings
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


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """All settings of a run, section by section.

    Parameters
    ----------
    architecture : str
        A name of ``emoclf.models.ARCHITECTURES``.
    seed : int
        Drives the split, the initial weights, the order of batches and dropout.
    data, text, embedding, model, training : Settings
        One section each; the class of ``model`` follows from the architecture.

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
        wanted = section_classes(self.architecture)["model"]
        object.__setattr__(self, "seed", _checked_seed(self.seed))
        if self.model is None:
            object.__setattr__(self, "model", wanted())
        elif not isinstance(self.model, wanted):
            raise SettingsError(
                f"The architecture {self.architecture!r} takes {wanted.__name__}. "
                f"Got {type(self.model).__name__} instead."
            )

    @classmethod
    def from_flat(cls, **values: Any) -> Self:
        """Make settings from flat keywords; every name belongs to one section."""
        return cls.from_dict(values)

    @classmethod
    def from_dict(
        cls, values: Mapping[str, Any], override: Mapping[str, Any] | None = None
    ) -> Self:
        """Make settings from a mapping of sections, of flat names, or of both.

        A flat name wins over the same name in its section.

        Parameters
        ----------
        values : mapping
        override : mapping, optional
            Flat names that win over all of ``values``: keywords, or options of the
            command line, over a file.

        Raises
        ------
        SettingsError
            If a name is unknown or a value is out of range.
        """
        values, flat = dict(values), dict(override or {})
        top = {
            key: given.pop(key)
            for given in (values, flat)
            for key in ("architecture", "seed")
            if key in given
        }
        architecture = top.get("architecture", cls.architecture)
        sections = section_classes(architecture)
        found: dict[str, dict[str, Any]] = {name: {} for name in sections}
        for name in sections:
            # "embedding" names a section and a setting of it: a table is the section.
            if isinstance(values.get(name), Mapping):
                found[name].update(values.pop(name))
        for key, value in (*values.items(), *flat.items()):
            found[section_of(key, sections)][key] = value
        made: dict[str, Any] = {
            name: sections[name].from_dict(found[name]) for name in sections
        }
        return cls(**top, **made)

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
        """Return nested plain values; settings that are left out are not listed."""
        tables = {
            name: getattr(self, name).to_dict()
            for name in ("data", "text", "embedding", "model", "training")
        }
        return {"architecture": self.architecture, "seed": self.seed, **tables}

    def flat(self) -> dict[str, Any]:
        """Return every setting in force by its name, left out or not."""
        sections = (self.data, self.text, self.embedding, self.model, self.training)
        return {name: getattr(s, name) for s in sections for name in s.names()}

    def to_toml(self) -> str:
        """Return the settings as a TOML document."""
        # Loaded here: what answers from an export never writes TOML.
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str, *, name: str = "settings") -> Self:
        """Read settings from a TOML document; ``name`` is what errors call it."""
        return cls.from_dict(parse_toml(text, name=name))


def _checked_seed(seed: Any) -> int:
    whole = isinstance(seed, numbers.Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**32:
        raise SettingsError(
            f"The seed must be a whole number from 0 to 4294967295. Got {seed!r} "
            "instead."
        )
    # An int also where NumPy's was given: Python's random takes no other.
    return int(seed)


def section_classes(architecture: str) -> dict[str, type[Settings]]:
    """Return the sections of a run with this architecture, with their classes."""
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        raise SettingsError(
            f"There is no architecture {architecture!r}."
            f"{did_you_mean(architecture, ARCHITECTURES)} "
            f"Known: {', '.join(ARCHITECTURES)}."
        )
    return {**SECTIONS, "model": settings_class(architecture)}


def section_of(key: str, sections: Mapping[str, type[Settings]]) -> str:
    """Return the section that a flat name belongs to."""
    for name, section in sections.items():
        if key in section.names():
            return name
    if key in sections:
        raise SettingsError(
            f"{key!r} is a section and must be a table of settings, for instance "
            f"{key}.{sections[key].names()[0]}."
        )
    known = [n for section in sections.values() for n in section.names()]
    known += ["architecture", "seed"]
    raise SettingsError(
        f"There is no setting {key!r}.{did_you_mean(key, known)} "
        f"Known: {', '.join(sorted(known))}."
    )


def parse_toml(text: str, *, name: str) -> dict[str, Any]:
    """Parse TOML; a mistake in it is a SettingsError that names the document."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name} is not valid TOML: {error}.") from None


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
