"""Word vectors for English that come with the package.

Each vector is stored in a few bits per number: a normal distribution is divided into
2^bits intervals, and each number is replaced by the mean of its interval (Max, 1960,
"Quantizing for minimum distortion"). ``NOTICE`` names the encoder that they were
distilled from, and ``tests/make_starter_vectors.py`` makes the file.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from emoclf.embeddings.vector_io import Rows, VectorSource
from emoclf.embeddings.vector_names import STARTER
from emoclf.errors import VectorsError

STARTER_FILE = Path(__file__).with_name("english.npz")

#: Bits → means of the intervals of a standard normal distribution, the positive half.
LEVELS = {
    2: (0.4528, 1.5104),
    3: (0.2451, 0.7560, 1.3439, 2.1520),
    4: (0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326),
}


class StarterVectors(VectorSource):
    """Reader of a file that ``tests/make_starter_vectors.py`` wrote.

    Parameters
    ----------
    path : path
        File; default: that of the package.

    Raises
    ------
    VectorsError
        If the file is missing or damaged; the archive has a checksum of each part.
    """

    def __init__(self, path: Path = STARTER_FILE) -> None:
        self.source = STARTER
        try:
            # Opened here, because np.load leaves a damaged file open.
            with open(path, "rb") as file, np.load(file) as archive:
                words, self._codes = archive["words"], archive["codes"]
                self._scales = archive["scales"]
            self.words = bytes(words).decode("utf-8").split("\n")
            self.count, bits, _ = self._codes.shape
            self.dim = len(self._scales)
            positive = np.array(LEVELS[bits], np.float32)
            self._levels = np.concatenate([-positive[::-1], positive])
            if len(self.words) != self.count:
                raise ValueError(f"{len(self.words)} words, {self.count} vectors")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise VectorsError(
                f"The starter vectors of the package, {path}, are missing or damaged: "
                f"{error}. Install emoclf again: pip install --force-reinstall "
                "--no-deps emoclf."
            ) from None

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        words = self.words[: self.limit]
        numbers = [i for i, w in enumerate(words) if wanted is None or w in wanted]
        bits = np.unpackbits(self._codes[numbers], axis=2, count=self.dim)
        codes = bits[:, 0]
        for bit in range(1, bits.shape[1]):
            codes = codes << np.uint8(1) | bits[:, bit]
        matrix = self._levels.take(codes)
        matrix *= self._scales
        return zip((words[number] for number in numbers), matrix, strict=True)

    def first_words(self, n: int) -> list[str]:
        return self.words[: self.limit][:n]
