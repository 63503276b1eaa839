"""Every error that emoclf raises on purpose.

Each message says where, what is wrong, the value received and what to do, and each
class extends the built-in error that a caller would expect::

    EmoclfError
    ├── DataError            (ValueError)    a file, a table, a text or a label
    ├── SettingsError        (ValueError)    a setting's name or value
    ├── VectorsError         (ValueError)    a file of word vectors
    ├── ModelError           (ValueError)    a network that does not fit its task
    ├── TrainingError        (RuntimeError)  a training that cannot continue
    │   └── ResumeError                      a checkpoint of another run
    ├── BundleError          (ValueError)    a saved classifier
    ├── ExportError          (RuntimeError)  an export that failed its check
    ├── SearchError          (RuntimeError)  a search that cannot continue
    ├── WorkerError          (RuntimeError)  a worker process that failed or was killed
    └── MissingDependency    (ImportError)   an optional package

The command line prints the message of an EmoclfError on one line and returns 1;
anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

#: Set in the environment while the command line runs, so that the processes which it
#: starts name settings as it does.
NAMES_AS_OPTIONS = "EMOCLF_NAMES_AS_OPTIONS"


class EmoclfError(Exception):
    """Any error that the caller can correct."""


class DataError(EmoclfError, ValueError):
    """A file, a table, a text or a label is not usable."""


class SettingsError(EmoclfError, ValueError):
    """A setting has a wrong name or a wrong value.

    Attributes
    ----------
    name : str
        Setting whose value is wrong; "" otherwise.
    problem : str
        The rest of the message about a wrong value.
    """

    name = problem = ""


class VectorsError(EmoclfError, ValueError):
    """A file of word vectors is not usable."""


class ModelError(EmoclfError, ValueError):
    """A network does not fit its labels, its head or its loss."""


class TrainingError(EmoclfError, RuntimeError):
    """A training cannot continue."""


class ResumeError(TrainingError):
    """A checkpoint does not fit the run that is to be resumed."""


class BundleError(EmoclfError, ValueError):
    """A saved classifier is damaged, incomplete or too new."""


class ExportError(EmoclfError, RuntimeError):
    """An export failed its check; no files were left behind."""


class SearchError(EmoclfError, RuntimeError):
    """A hyper-parameter search cannot continue."""


class WorkerError(EmoclfError, RuntimeError):
    """A worker process failed or was killed."""


class MissingDependency(EmoclfError, ImportError):
    """An optional package is not installed."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` with the closest of the valid names, or "".

    Examples
    --------
    >>> did_you_mean("joi", ["anger", "joy"])
    " Did you mean 'joy'?"
    >>> did_you_mean("quite else", ["anger", "joy"])
    ''
    """
    import difflib  # Imported here: only errors need it.

    close = difflib.get_close_matches(str(name), [str(n) for n in names], 1, 0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def wrong_kind(name: str, wanted: str, value: object, cure: str = "") -> str:
    """Return the message about an argument of a kind that a function does not take.

    Parameters
    ----------
    name : str
        Name of the argument.
    wanted : str
        Kinds that the function takes.
    value : object
    cure : str
        Advice, such as "use Predictor.load".

    Examples
    --------
    >>> wrong_kind("bundle", "a Bundle", "a.emoclf", "use load_bundle")
    "bundle must be a Bundle. Got 'a.emoclf' (str) instead; use load_bundle."
    """
    got = type(value).__name__
    # Tables and datasets are too long for a message.
    if value is None or isinstance(value, str | int | float | os.PathLike):
        text = repr(value)
        got = f"{text if len(text) <= 80 else text[:79] + '…'} ({got})"
    return f"{name} must be {wanted}. Got {got} instead{cure and f'; {cure}'}."


def setting(name: str, value: object = None) -> str:
    """Return a setting or an argument as the reader of a message writes it.

    That is ``encoding='latin-1'`` in Python, and ``--encoding latin-1`` on the command
    line.

    Parameters
    ----------
    name : str
    value : object, optional
        Value to give it; True and False stand for ``--name`` and ``--no-name``.

    Examples
    --------
    >>> setting("skip_bad_rows"), setting("encoding", "latin-1")
    ('skip_bad_rows', "encoding='latin-1'")
    """
    if NAMES_AS_OPTIONS not in os.environ:
        return name if value is None else f"{name}={value!r}"
    import shlex  # Most commands end without an error.

    option = f"--{'no-' if value is False else ''}{name.replace('_', '-')}"
    if value is None or isinstance(value, bool):
        return option
    return f"{option} {shlex.quote(str(value))}"
