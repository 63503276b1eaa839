"""Old import paths, which work for one release and warn."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: Modules from which public names were imported in 0.1 to 0.7, and their new paths.
MODULES = {
    "emoclf.aspects.aspect_export": "emoclf.aspects.exports.aspect_export",
    "emoclf.aspects.aspect_formats": "emoclf.aspects.data.aspect_formats",
    "emoclf.aspects.aspect_settings": "emoclf.aspects.terms.aspect_settings",
    "emoclf.aspects.aspect_split": "emoclf.aspects.data.aspect_split",
    "emoclf.aspects.exported_aspects": "emoclf.aspects.exports.exported_aspects",
    "emoclf.aspects.polarity": "emoclf.aspects.polarities.polarity_classifier",
    "emoclf.aspects.polarity_network": "emoclf.aspects.polarities.polarity_network",
    "emoclf.aspects.sample": "emoclf.aspects.data.sample",
    "emoclf.aspects.sentences": "emoclf.aspects.data.sentences",
    "emoclf.datasets.audit": "emoclf.datasets.audit_report",
    "emoclf.exported": "emoclf.serving",
    "emoclf.training.findings": "emoclf.doctor.findings",  # in pickles
}


def warn_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that something has a new name."""
    warnings.warn(
        f"{old} is deprecated and will be removed in a later version. Use {new}.",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


class _MovedModules:
    """Finder and loader of modules by their old names, used after all other finders."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        loader: Any = self
        return ModuleSpec(name, loader) if name in MODULES else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Return None: Python creates the module."""

    def exec_module(self, module: ModuleType) -> None:
        new = MODULES[module.__name__]
        warn_renamed(module.__name__, new, stacklevel=2)
        module.__getattr__ = lambda name: getattr(import_module(new), name)  # type: ignore[method-assign]


def install() -> None:
    """Register the finder of old import paths."""
    sys.meta_path.append(_MovedModules())
