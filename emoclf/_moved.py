"""Old import paths and names, which work for one release and warn."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T")

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
    "emoclf.bulk.run": "emoclf.bulk.file_prediction",
    "emoclf.bundle_folder": "emoclf.bundle.bundle_folder",
    "emoclf.compare": "emoclf.workflow.compare",
    "emoclf.contextual.distil": "emoclf.contextual.vector_distillation",
    "emoclf.datasets.audit": "emoclf.datasets.audit_report",
    "emoclf.datasets.tables": "emoclf.datasets.readers",
    "emoclf.embeddings.vectors": "emoclf.embeddings.word_vectors",
    "emoclf.evaluation.judge": "emoclf.evaluation.evaluate",
    "emoclf.export.any_form": "emoclf.export",
    "emoclf.exported": "emoclf.serving",
    "emoclf.pipeline": "emoclf.workflow.train",
    "emoclf.training.findings": "emoclf.doctor.findings",
    "emoclf.training.model_checks": "emoclf.doctor.model_checks",
}


def warn_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that something has a new name."""
    warnings.warn(
        f"{old} is deprecated and will be removed in a later version. Use {new}.",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


class RenamedAttribute:
    """The old name of a read-only attribute: returns the new one, and warns.

    Parameters
    ----------
    new : str
        New name of the attribute.
    """

    def __init__(self, new: str) -> None:
        self.new = new

    def __set_name__(self, owner: type, name: str) -> None:
        self.old = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        warn_renamed(f"{owner.__name__}.{self.old}", f"{owner.__name__}.{self.new}")
        return getattr(instance, self.new)


def renamed_argument(
    old: str, new: str
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator that also accepts a keyword argument under its old name."""

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(function)
        def call(*args: Any, **arguments: Any) -> T:
            if old in arguments:
                warn_renamed(f"{function.__qualname__}({old}=…)", f"{new}=…")
                arguments[new] = arguments.pop(old)
            return function(*args, **arguments)

        return call

    return decorate


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
