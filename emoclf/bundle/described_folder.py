"""Folders described by a JSON document and checksummed: bundles and exports.

Each has a JSON document with its description (format number, labels, versions), its
data files, and ``sha256sums.txt``, which ``sha256sum -c sha256sums.txt`` checks too.
Nothing in such a folder is executed when it is read. This module needs the standard
library only, and loads little of it: the first prediction of an export waits for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from emoclf._version import __version__
from emoclf.bundle.json_values import JsonObject, check_regular, read_json
from emoclf.errors import BundleError, EmoclfError, ExportError, setting, wrong_kind

SUMS = "sha256sums.txt"
#: Files that desktops add to folders by themselves.
DESKTOP_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")
#: The plan of a search, which marks its folder, and the bundle of its winner; the
#: description of an aspect model, which marks its folder.
SEARCH_PLAN, SEARCH_BEST, ASPECT_MODEL = "search.json", "best.emoclf", "aspects.json"
# A version that is being replaced has the name of its backup.
_VERSION = re.compile(r"([1-9][0-9]*)|\.([1-9][0-9]*)\.before")


class FolderKind(NamedTuple):
    """A kind of described folder: bundle or export.

    Parameters
    ----------
    noun : str
        Name with its article, for messages.
    about : str
        Name of the JSON document.
    format : int
        Highest format number that can be read.
    command : str
        Command that writes such a folder.
    remedy : str
        Advice for replacing a damaged one.
    write_error : type of EmoclfError
        Type of the error when it cannot be written.
    files : tuple of str
        Names of the files that every such folder has.
    """

    noun: str
    about: str
    format: int
    command: str
    remedy: str
    write_error: type[EmoclfError]
    files: tuple[str, ...] = ()

    def place(self, path: str | os.PathLike[str]) -> Path:
        """Return the path of a folder; "." becomes a path with a name.

        Raises
        ------
        EmoclfError
            If no folder can have this path.
        """
        if not isinstance(path, str | os.PathLike):
            raise self.write_error(wrong_kind("path", "the path of a folder", path))
        folder = Path(path)
        if os.fspath(path) and folder.name in ("", ".."):
            folder = Path(os.path.abspath(folder))
        try:
            folder.exists()
        except (OSError, ValueError) as reason:
            raise self.write_error(f"{path} cannot be {self.noun}: {reason}.") from None
        if not os.fspath(path) or not folder.name:
            raise self.write_error(
                f"{os.fspath(path)!r} cannot be {self.noun}. Give the path of a folder."
            )
        return folder

    def check_target(
        self, path: str | os.PathLike[str], *, overwrite: bool = False
    ) -> Path:
        """Return a target that can be written, or raise before any work is done.

        Parameters
        ----------
        path : path
        overwrite : bool, default=False
            Replace a folder of the same kind; any other folder is left alone.

        Returns
        -------
        target : Path

        Raises
        ------
        EmoclfError
            The ``write_error`` of the kind: if the target is something else, contains
            files that emoclf did not write, exists and must not be replaced, or cannot
            be written.
        """
        from emoclf.files import check_writable, recover_folder

        target = self.place(path)
        try:
            check_writable(target.parent)
            recover_folder(target)
        except (OSError, ValueError) as error:
            raise self.write_error(f"Cannot write {target}: {error}.") from error
        if not target.exists():
            return target
        if not (target / self.about).is_file():
            raise self.write_error(
                f"{target} exists and is not {self.noun} of emoclf, so it is left "
                "alone. Choose another name."
            )
        # Empty folders do not count: TensorFlow makes one for assets.
        contents = {
            path.relative_to(target).as_posix()
            for path in target.rglob("*")
            if path.is_symlink() or not path.is_dir()
            if path.name not in DESKTOP_FILES
        }
        # All that it always has, in case its checksums cannot be read.
        written = {*_read_sums(target, strict=False), *self.files, self.about, SUMS}
        names = sorted(contents - written)
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise self.write_error(
                f"{target} also contains {', '.join(names[:3])}{more}, which emoclf "
                "did not write, so it is left alone. Choose another name, or move "
                "these files away."
            )
        if not overwrite:
            raise self.write_error(self._exists(target))
        return target

    @staticmethod
    def _exists(target: Path) -> str:
        return (
            f"{target} exists. Choose another name, or replace it with "
            f"{setting('overwrite', True)}."
        )

    @contextmanager
    def new_folder(
        self, path: str | os.PathLike[str], *, overwrite: bool = False
    ) -> Iterator[Path]:
        """Yield a folder that takes the target's place if the block succeeds.

        Parameters and errors are those of :meth:`check_target`.
        """
        from emoclf.files import new_folder

        target = self.check_target(path, overwrite=overwrite)
        try:
            with new_folder(target, overwrite=overwrite) as folder:
                yield folder
        except FileExistsError as error:
            raise self.write_error(self._exists(target)) from error
        except OSError as error:
            raise self.write_error(
                f"Cannot write {target}: {error}. What was there before is unchanged."
            ) from error

    def read_about(self, folder: Path) -> dict[str, Any]:
        """Return the JSON document of a folder.

        Raises
        ------
        BundleError
            If it is missing, damaged, or newer than this emoclf.
        """
        if not folder.is_dir():
            state = "is a file" if folder.exists() else "does not exist"
            raise BundleError(
                f"{folder} {state}. {self.noun.capitalize()} is the folder that "
                f"'{self.command}' writes."
            )
        try:
            about = JsonObject(read_json(folder / self.about))
            number = about.whole("format", 1)
        except FileNotFoundError:
            reason = other_kind(folder, self.noun)
            reason = reason or f"{folder} is not {self.noun}: it has no {self.about}."
            raise BundleError(reason) from None
        except (OSError, ValueError) as error:
            raise self.damaged(folder / self.about, error) from error
        if number > self.format:
            raise BundleError(
                f"{folder} has format {number}; emoclf {__version__} reads up to "
                f"{self.format}. Upgrade with: pip install -U emoclf"
            )
        return about.values

    def damaged(self, path: Path, reason: object) -> BundleError:
        """Return the error for a damaged file."""
        return BundleError(
            f"{path} is damaged: {reason}. Restore it from a copy, or {self.remedy}."
        )

    def incomplete(self, path: Path, reason: object) -> BundleError:
        """Return the error for a file that cannot be read."""
        return BundleError(
            f"{path.parent} is incomplete: {path.name} cannot be read ({reason}). "
            f"Restore it from a copy, or {self.remedy}."
        )

    def check_sums(self, folder: Path) -> None:
        """Compare the SHA-256 of ``files`` with the sums of the folder.

        Raises
        ------
        BundleError
            If a file is missing or differs.
        """
        try:
            check_regular(folder / SUMS)
            sums = _read_sums(folder)
        except (OSError, ValueError) as error:
            raise self.damaged(folder / SUMS, error) from error
        for name in self.files:
            try:
                check_regular(folder / name)
                digest = _sha256(folder / name)
            except OSError as error:
                raise self.incomplete(folder / name, error) from error
            if digest != sums.get(name):
                raise self.damaged(
                    folder / name,
                    f"its SHA-256 is {digest[:12]}…, and {SUMS} has "
                    f"{str(sums.get(name))[:12]}…",
                )


@contextmanager
def reading(folder: Path, about: Mapping[str, Any]) -> Iterator[None]:
    """Report whatever the files of a complete folder raise as a BundleError."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"{folder}: {error}") from error
    except Exception as error:
        # Archives and settings from anybody raise almost anything.
        raise BundleError(
            f"{folder} is complete but cannot be read by emoclf {__version__}: "
            f"{type(error).__name__}: {error}. It was made with "
            f"emoclf {about.get('emoclf')}."
        ) from error


#: The file of each field of a bundle's ``BundleParts``.
PART_FILES = {
    "about": "bundle.json",
    "settings": "settings.toml",
    "tokens": "vocabulary.json",
    "tables": "tokenizer.npz",
    "weights": "weights.npz",
    "history": "history.json",
    "metrics": "figures.json",
}
CARD = "README.md"
BUNDLE = FolderKind(
    "a bundle", PART_FILES["about"], 2, "emoclf train", "train again", BundleError,
    (*PART_FILES.values(), CARD),
)  # fmt: skip
EXPORT = FolderKind(
    "an export", "emoclf.json", 1, "emoclf export", "export again", ExportError
)
#: ``kind`` of an export in its description → what it is, and what loads it.
CLASSIFIER_EXPORT, ASPECT_EXPORT = "export", "aspect export"
EXPORT_USES = {
    CLASSIFIER_EXPORT: (
        "an export of a classifier",
        "load_exported loads it; 'emoclf predict' and 'emoclf evaluate' take it",
    ),
    ASPECT_EXPORT: (
        "an export of an aspect model",
        "load_exported_aspects loads it; 'emoclf aspects predict' and 'emoclf aspects "
        "evaluate' take it",
    ),
}
#: A classifier that transformers can load too, with a description of ours beside it.
FINE_TUNED = FolderKind(
    "a fine-tuned encoder", "fine_tuning.json", 1, "emoclf teach --fine-tune",
    "teach again", BundleError,
    ("fine_tuning.json", "config.json", "model.safetensors", "tokenizer.json"),
)  # fmt: skip
#: The configuration of a model of transformers, and the end of its class's name.
CONFIG = "config.json"
SEQUENCE_CLASSIFIER = "ForSequenceClassification"


def readable_place(folder: Path) -> Path:
    """Return the folder, or its backup while it is being replaced.

    The backup of an interrupted replacement is read, but not moved back.
    """
    if not folder.exists() and folder.name:
        # Rarely needed, so that a first prediction does not wait for this import.
        from emoclf.files import folder_backup

        if folder_backup(folder).is_dir():
            return folder_backup(folder)
    return folder


def highest_version(folder: Path) -> Path:
    """Return the highest version in a folder of versions, else the folder itself."""
    if not folder.is_dir() or (folder / EXPORT.about).exists():
        return folder
    names = (_VERSION.fullmatch(entry.name) for entry in folder.iterdir())
    versions = [int(name[1] or name[2]) for name in names if name]
    return folder / str(max(versions)) if versions else folder


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return "bundle", "export", "search" or "transformer"; "" for anything else.

    A transformer is a classifier that transformers can load. The folder is checked
    when it is loaded, not here.
    """
    folder = readable_place(highest_version(Path(path)))
    names = {"bundle": BUNDLE.about, "export": EXPORT.about, "search": SEARCH_PLAN}
    for kind, name in names.items():
        if (folder / name).is_file():
            return kind
    return "transformer" if _is_sequence_classifier(folder) else ""


def _is_sequence_classifier(folder: Path) -> bool:
    """Say whether a folder has the configuration of a classifier of transformers."""
    try:
        classes = JsonObject(read_json(folder / CONFIG)).texts("architectures")
    except (OSError, ValueError):
        return False
    return any(name.endswith(SEQUENCE_CLASSIFIER) for name in classes)


def other_kind(path: str | os.PathLike[str], wanted: str) -> str:
    """Return what a folder is instead of what was wanted, and what loads it.

    Parameters
    ----------
    path : path
    wanted : str
        What was wanted, with its article.

    Returns
    -------
    message : str
        "" if the folder is of no other kind.
    """
    kind = kind_of(path)
    if kind == "bundle":
        found, cure = "a bundle", "load_bundle and Predictor.load load it"
    elif kind == "export":
        found, cure = EXPORT_USES[_kind_of_export(path)]
    elif kind == "search":
        best = Path(path) / SEARCH_BEST
        found, cure = "a search", f"its best classifier is {best}"
        if not best.is_dir():
            cure = "it has no best classifier yet; continue it"
    elif kind == "transformer":
        found = "a transformer"
        cure = "TransformerClassifier.load loads it; 'emoclf predict' takes it"
    elif (readable_place(Path(path)) / ASPECT_MODEL).is_file():
        found = "an aspect model"
        cure = "'emoclf aspects export' and AspectModel.load take it"
    else:
        return ""
    return f"{path} is {found}, not {wanted}: {cure}."


def _kind_of_export(path: str | os.PathLike[str]) -> str:
    """Return the kind of an export, which may be damaged."""
    folder = readable_place(highest_version(Path(path)))
    try:
        kind = JsonObject(read_json(folder / EXPORT.about)).values.get("kind")
    except (OSError, ValueError):
        return CLASSIFIER_EXPORT
    return kind if kind in [*EXPORT_USES] else CLASSIFIER_EXPORT


def write_sums(folder: Path, names: Iterable[str]) -> None:
    """Write the SHA-256 of files into their folder, and flush all of them to disk."""
    names = list(names)
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    for name in (*names, SUMS):
        with open(folder / name, "rb") as stream:
            os.fsync(stream.fileno())


def _read_sums(folder: Path, *, strict: bool = True) -> dict[str, str]:
    """Return the sum of each file by its name; not strict: skip unreadable lines."""
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        if strict:
            raise
        return {}
    pairs = [line.split("  ", 1)[::-1] for line in lines]
    return dict(pair for pair in pairs if strict or len(pair) == 2)


def _sha256(path: Path) -> str:
    import hashlib  # slow to load: it brings OpenSSL

    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
