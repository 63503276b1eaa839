"""Word vectors by name: "starter", or one of gensim's downloader.

Those of the downloader, such as ``glove-twitter-25``, are downloaded once, into
gensim's own folder, and read like any other file.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emoclf.embeddings.vector_streams import split_member
from emoclf.errors import VectorsError, did_you_mean

logger = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
#: Value of the setting ``vectors`` for the vectors of the package.
STARTER = "starter"
#: Seconds until a server that does not answer counts as unreachable.
TIMEOUT_SECONDS = 30.0
MEGABYTE = 1e6


def is_vectors_name(vectors: str) -> bool:
    """Return whether this is a name of vectors, not a path; an existing file wins.

    Only "starter" is always a name: it is the default, whatever is in a folder.
    """
    if vectors == STARTER:
        return True
    if NAME.fullmatch(vectors) is None:
        return False
    return not split_member(Path(vectors))[0].is_file()


def downloaded_vectors(name: str) -> Path:
    """Return the file of vectors of gensim's downloader, downloaded if necessary.

    Nothing that is downloaded is imported, and gensim compares its checksum.

    Parameters
    ----------
    name : str
        Name of a model in ``gensim.downloader.info()``.

    Raises
    ------
    VectorsError
        If there are no word vectors of this name, or they cannot be downloaded.
    """
    # It is imported here, because few classifiers use it.
    from gensim import downloader

    path = Path(downloader.BASE_DIR, name, f"{name}.gz")
    if path.is_file():
        return path
    with _quiet_downloader():
        try:
            listing = downloader.info()
            models, corpora = dict(listing["models"]), dict(listing["corpora"])
        except Exception as error:  # noqa: BLE001  (gensim raises bare ones)
            raise VectorsError(
                f"There is no file {name!r} here, and the list of gensim's downloader, "
                f"which has vectors by name, cannot be read ({error}). Give the path "
                "of a file of word vectors, or try again with a connection."
            ) from None
        if name not in models:
            raise VectorsError(_unknown(name, models, corpora))
        about = models[name] if isinstance(models[name], dict) else {}
        size = about.get("file_size")
        logger.info(
            "Downloading the word vectors %s (%s, license: %s) to %s.",
            name,
            f"{size / MEGABYTE:.0f} MB" if isinstance(size, int) else "of unknown size",
            about.get("license", "not given"),
            path.parent,
        )
        try:
            downloader.load(name, return_path=True)
        except Exception as error:  # noqa: BLE001  (for a checksum, for instance)
            problem = str(error)
        else:
            problem = f"{path} does not exist afterwards"
    # Another process may have been quicker.
    if path.is_file():
        return path
    raise VectorsError(
        f"The word vectors {name!r} cannot be downloaded ({problem}). Remove "
        f"{path.parent} and {path.parent}_tmp if they exist and try again, or give the "
        "path of a file of word vectors."
    )


def _unknown(name: str, models: Any, corpora: Any) -> str:
    if name in corpora:
        return (
            f"{name!r} of gensim's downloader is a corpus, not word vectors. "
            f"Word vectors: {', '.join(models)}."
        )
    return (
        f"There is no file {name!r} here, and gensim's downloader has no word vectors "
        f"of this name.{did_you_mean(name, models)} Known: {', '.join(models)}."
    )


@contextlib.contextmanager
def _quiet_downloader() -> Iterator[None]:
    """Hush gensim's log, show its progress on a terminal only, and limit the waiting.

    Its bar is printed to standard output, which may be JSON.
    """
    log = logging.getLogger("gensim.downloader")
    level, timeout = log.level, socket.getdefaulttimeout()
    stream = sys.stderr if sys.stderr.isatty() else io.StringIO()
    log.setLevel(logging.CRITICAL)
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        with contextlib.redirect_stdout(stream):
            yield
    finally:
        log.setLevel(level)
        socket.setdefaulttimeout(timeout)


def absolute_vectors(vectors: str) -> str:
    """Return the absolute path of a file; a name stays as it is."""
    return vectors if is_vectors_name(vectors) else os.path.abspath(vectors)
