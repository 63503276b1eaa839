"""Import of optional packages."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from emoclf.errors import MissingDependency


def require(module: str, *, extra: str, needed_by: str) -> ModuleType:
    """Import an optional package, or name the extra that installs it.

    Parameters
    ----------
    module : str
        Module to import, for instance ``"jieba"``.
    extra : str
        Extra in ``setup.cfg`` that installs it.
    needed_by : str
        Feature that needs it, as the user would name it.

    Raises
    ------
    MissingDependency
        If the package, or one of its own dependencies, is not installed, or refuses
        what the environment says, such as ``NUMBA_NUM_THREADS=0``.
    """
    try:
        return import_module(module)
    except ValueError as error:
        raise MissingDependency(
            f"{needed_by} needs the package {module!r}, which cannot be imported "
            f"({error}). Correct its settings in the environment."
        ) from error
    except ImportError as error:
        raise MissingDependency(
            f"{needed_by} needs the package {error.name or module!r}, which is not "
            f"installed ({error}). Run: pip install 'emoclf[{extra}]'"
        ) from error
