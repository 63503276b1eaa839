"""Read the pickles of gensim without running anything that they contain.

A pickle names functions, and loading it calls them. Here each name that the files of
gensim contain (of the versions 2 to 4, pickled by Python 2 or 3) has a stand-in that
only keeps data, and any other name is refused. Neither gensim's nor NumPy's own code
for loading runs: a state made for it can damage memory.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from emoclf.errors import VectorsError

#: Types of the arrays that are read, and of single values: numbers and texts.
_READ_TYPES = re.compile(r"[fiu][1248]|U\d{1,5}")

#: Python 3 and Python 2.
BUILTINS = ("builtins", "__builtin__")
BUILTIN_NAMES = ("hash", "int", "long", "float", "object", "set", "frozenset")


class StoredObject:
    """The attributes of a stored object."""

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        # The state of a random number generator is a tuple, which nobody needs.
        if isinstance(state, dict):
            vars(self).update(state)


class StoredType(StoredObject):
    """A NumPy dtype: its name and its byte order."""

    def __init__(self, name: str, *flags: Any) -> None:
        self.name, self.order = name, "="

    def __setstate__(self, state: Any) -> None:
        self.order = {"|": "=", "<": "<", ">": ">", "=": "="}[state[1]]

    def array(self, data: Any, shape: Any, order: str) -> np.ndarray | None:
        """Return values from bytes; None if they are neither numbers nor texts."""
        if not _READ_TYPES.fullmatch(self.name):
            return None
        # Python 2 stored bytes as text.
        data = data.encode("latin-1") if isinstance(data, str) else data
        numbers = np.frombuffer(data, self.order + self.name)
        return numbers.reshape(shape, order="F" if order == "F" else "C")


class StoredArray(StoredObject):
    """A NumPy array; its values are None if they are neither numbers nor texts."""

    values: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, by_columns, data = state
        self.values = dtype.array(data, shape, "F" if by_columns else "C")


class _Function:
    """A function that returns data, and whose attributes a pickle cannot change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a function has no state")


@_Function
def _array_of_buffer(data: Any, dtype: StoredType, shape: Any, order: str) -> Any:
    stored = StoredArray()
    stored.values = dtype.array(data, shape, order)
    return stored


@_Function
def _array_scalar(dtype: StoredType, data: Any = b"") -> Any:
    values = dtype.array(data, (-1,), "C")
    return None if values is None else values[0].item()


@_Function
def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise ValueError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin-1")


@_Function
def _new_dict(*arguments: Any) -> dict:
    return {}


#: Classes in modules of ``gensim.models``, which differ between versions.
_CLASSES = {
    *("KeyedVectors", "Word2VecKeyedVectors", "EuclideanKeyedVectors"),
    *("WordEmbeddingsKeyedVectors", "BaseKeyedVectors", "KeyedVectorsBase"),
    *("FastTextKeyedVectors", "Doc2VecKeyedVectors", "PoincareKeyedVectors"),
    *("Word2Vec", "Word2VecVocab", "Word2VecTrainables"),
    *("FastText", "FastTextVocab", "FastTextTrainables"),
    *("Doc2Vec", "Doc2VecVocab", "Doc2VecTrainables", "DocvecsArray", "Doctag"),
    *("Vocab", "CompatVocab", "SimpleVocab"),
}
#: (module, name) in a pickle → stand-in.
_STAND_INS: dict[tuple[str, str], Any] = {
    # Functions and values of a model that vectors do not need.
    **dict.fromkeys(
        (
            ("gensim.utils", "call_on_class_only"),
            *((module, name) for module in BUILTINS for name in BUILTIN_NAMES),
            ("numpy", "float32"),
            ("numpy.random", "__RandomState_ctor"),
            ("numpy.random._pickle", "__randomstate_ctor"),
            ("numpy.random._pickle", "__generator_ctor"),
            ("numpy.random._pickle", "__bit_generator_ctor"),
            ("numpy.random._mt19937", "MT19937"),
            ("numpy.random._pcg64", "PCG64"),
        ),
        StoredObject,
    ),
    ("collections", "defaultdict"): _new_dict,
    ("collections", "OrderedDict"): _new_dict,
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): StoredType,
    ("numpy", "ndarray"): StoredArray,
    # NumPy 2 has renamed numpy.core.
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", StoredArray),
            ("multiarray", "scalar", _array_scalar),
            ("numeric", "_frombuffer", _array_of_buffer),
        )
    },
}


class _Refused(Exception):
    """A pickle names something that vectors do not consist of."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("gensim.models.") and name in _CLASSES:
            return StoredObject
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None


def unpickle(stream: IO[bytes], path: Path) -> Any:
    """Return what a pickle of gensim contains, as stand-ins.

    Raises
    ------
    VectorsError
        If the pickle is damaged, or needs anything but stand-ins.
    """
    try:
        # As gensim reads what Python 2 wrote.
        return _Unpickler(stream, encoding="latin-1").load()
    except _Refused as error:
        raise VectorsError(
            f"{path} is a pickle that needs {error}, which is not a part of gensim's "
            "word vectors, so nothing of it was run. If you trust whoever made the "
            f"file, {conversion(path)}"
        ) from None
    except Exception as error:
        # Damaged pickles raise almost anything.
        raise VectorsError(
            f"{path} begins as a pickle of gensim and cannot be read "
            f"({type(error).__name__}: {error}). Make or download it again."
        ) from error


def conversion(path: Path) -> str:
    """Return the advice that converts a file of gensim, as the end of a sentence."""
    return (
        "convert it to a word2vec .bin with gensim: "
        f"from gensim.utils import SaveLoad; saved = SaveLoad.load({str(path)!r}); "
        'getattr(saved, "wv", saved).save_word2vec_format("vectors.bin", binary=True)'
    )
