"""The one door through which optional packages come in."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from emoclf.errors import MissingDependency


def require(module: str, *, extra: str, needed_by: str) -> ModuleType:
    """Import an optional package, or say which extra brings it.

    Parameters
    ----------
    module : str
        What to import, for instance ``"jieba"``.
    extra : str
        The extra of ``setup.cfg`` that installs it.
    needed_by : str
        What the user asked for, as the user would name it.

    Raises
    ------
    MissingDependency
        If the package, or something that it needs itself, is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependency(
            f"{needed_by} needs the package {error.name or module!r}, which is not "
            f"installed ({error}). Run: pip install 'emoclf[{extra}]'"
        ) from error
