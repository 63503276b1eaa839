"""Read exports of aspect models, and predict with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.aspects.data.tags import is_tag_set
from emoclf.aspects.exports.aspect_export_formats import ASPECT_EXPORTS
from emoclf.aspects.opinions import AspectPredictor, Opinion, Opinions
from emoclf.aspects.polarities.polarity_targets import Target, encode_targets
from emoclf.aspects.terms.found_terms import FoundTerm, find_terms
from emoclf.aspects.terms.sentence_encoder import SentenceEncoder
from emoclf.batching import batch_by_length, lengths_of, pad
from emoclf.bundle.described_folder import (
    ASPECT_EXPORT,
    EXPORT,
    highest_version,
    readable_place,
)
from emoclf.bundle.json_values import JsonObject
from emoclf.classifier import check_finite
from emoclf.datasets.cells import utf8
from emoclf.errors import BundleError, setting
from emoclf.runtime import check_fork, import_tensorflow, load_tensorflow
from emoclf.serving import open_export
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import check_threads
from emoclf.serving.exported_text import read_names, read_tokenizer
from emoclf.serving.onnx import INPUT, MODEL, OUTPUT, new_session
from emoclf.serving.saved_model import BATCH_POINTS
from emoclf.text.encoder import TextEncoder
from emoclf.text.validation import as_texts
from emoclf.text.vocabulary import Vocabulary

#: Terms of the training set, and the folder of the polarity classifier.
TERMS, POLARITY = "terms.json", "polarity"
TAGGER_OUTPUTS = ("tags", "confidence")
#: File of a SavedModel's graph, its signature for texts, and outputs that this has.
GRAPH, SERVING = "saved_model.pb", "serving_default"
TERM_OUTPUTS = {"count", "start", "stop", "confidence"}


def load_exported_aspects(
    path: str | os.PathLike[str], **options: Any
) -> ExportedAspects:
    """Load an exported aspect model.

    Nothing in the folder is run, except a SavedModel: it is a program of TensorFlow, so
    load only those that you trust.

    Parameters
    ----------
    path : path
        A folder that ``emoclf aspects export`` wrote; or one that contains versions of
        a SavedModel in folders named 1, 2, …, of which the highest is loaded.
    **options
        ``threads``, the number of threads of an ONNX export; default: all cores.

    Returns
    -------
    model : ExportedAspects
        It has the ``predict``, ``summary`` and ``evaluate`` of
        :class:`emoclf.AspectModel`; but ``evaluate`` takes no training set, since the
        tokenizers that baselines need can be within a graph.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    SettingsError
        If the format has no such option.
    MissingDependency
        If the package that runs this format is not installed.
    """
    return open_export(path, ASPECT_EXPORT, ASPECT_EXPORTS, options)


def load_aspect_predictor(
    path: str | os.PathLike[str], *, encoder: str | os.PathLike[str] | None = None
) -> AspectPredictor:
    """Load an aspect model or an export of one.

    Parameters
    ----------
    path : path
    encoder : path, optional
        As in :meth:`emoclf.AspectModel.load`; an export has none.

    Raises
    ------
    BundleError
    MissingDependency
    """
    if (readable_place(highest_version(Path(path))) / EXPORT.about).is_file():
        if encoder is not None:
            raise BundleError(
                f"{setting('encoder', os.fspath(encoder))} is for models with a "
                f"transformer encoder, but {path} is an export, which has none. Leave "
                "it out."
            )
        return load_exported_aspects(path)
    load_tensorflow()
    from emoclf.aspects.aspect_model import AspectModel

    return AspectModel.load(path, encoder=encoder)


class ExportedAspects(AspectPredictor):
    """An exported aspect model, of any format.

    Parameters
    ----------
    folder : ExportFolder
    """

    # Values of ``emoclf.json`` and ``terms.json``.
    typed = False
    training_terms: frozenset[str] = frozenset()
    polarity_names: tuple[str, ...] = ()

    def __init__(self, folder: ExportFolder) -> None:
        self.folder = folder
        about = JsonObject(folder.about)
        try:
            self.tags = tuple(about.texts("tags", at_least=2))
            if not is_tag_set(self.tags):
                raise ValueError(f"there is no tagger with the tags {self.tags[:9]}")
            self.typed = about.flag("typed")
            self.polarity_names = tuple(about.texts("polarity_names"))
            self._characters = about.flag("characters")
            self._alphabet = about.texts("alphabet")
        except ValueError as error:
            raise folder.damaged(error) from error
        self.training_terms = frozenset(read_names(folder, TERMS, "the terms"))


class OnnxAspects(ExportedAspects):
    """Predict with onnxruntime, on the CPU, without TensorFlow.

    Parameters
    ----------
    folder : ExportFolder
    threads : int >= 1, optional
    """

    def __init__(self, folder: ExportFolder, *, threads: int | None = None) -> None:
        check_threads(threads)
        super().__init__(folder)
        self._encoder = SentenceEncoder(_encoder(folder), self._alphabet)
        inputs = {INPUT, *(["characters"] if self._characters else [])}
        self._session = _session(folder, threads, inputs, {*TAGGER_OUTPUTS})
        if self.polarity_names:
            part = folder.part(POLARITY)
            self._polarity_encoder = _encoder(part)
            self._polarity = _session(part, threads, {INPUT}, {OUTPUT})

    def find_terms(self, texts: list[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""
        return find_terms(
            texts, self._encoder, self.tags, self._run, characters=self._characters
        )

    def _predict_polarity(self, targets: Sequence[Target]) -> np.ndarray:
        token_ids = encode_targets(targets, self._polarity_encoder)
        probabilities = np.empty((len(targets), len(self.polarity_names)), np.float32)
        for batch in batch_by_length(lengths_of(token_ids)):
            inputs = {INPUT: pad([token_ids[i] for i in batch])}
            (output,) = self._polarity.run([OUTPUT], inputs)
            shape = (len(batch), len(self.polarity_names))
            path = self.folder.place / POLARITY / MODEL
            probabilities[batch] = _checked(output, shape, OUTPUT, path)
        return probabilities

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        values = self._session.run(list(TAGGER_OUTPUTS), inputs)
        outputs = dict(zip(TAGGER_OUTPUTS, values, strict=True))
        path = self.folder.place / MODEL
        for name, output in outputs.items():
            _checked(output, inputs[INPUT].shape, name, path)
        if not 0 <= outputs["tags"].min() <= outputs["tags"].max() < len(self.tags):
            raise EXPORT.damaged(
                path,
                f"it returns the tag {outputs['tags'].max()} of {len(self.tags)} tags",
            )
        return outputs


class SavedModelAspects(ExportedAspects):
    """Predict with a SavedModel, which tokenizes inside the graph.

    A SavedModel is a program of TensorFlow, which can read and write files: load only
    those that you trust.

    Parameters
    ----------
    folder : ExportFolder
    """

    def __init__(self, folder: ExportFolder) -> None:
        super().__init__(folder)
        import_tensorflow()
        import tensorflow as tf

        check_fork()
        # It owns the variables and tables; the signatures do not keep it alive.
        self._model = tf.saved_model.load(str(folder.place))
        expected_outputs = {SERVING: TERM_OUTPUTS}
        if self.polarity_names:
            expected_outputs[POLARITY] = {OUTPUT}
        for name, outputs in expected_outputs.items():
            run = self._model.signatures.get(name)
            if run is None or not outputs <= {*run.structured_outputs}:
                raise EXPORT.damaged(
                    folder.place / GRAPH,
                    f"it has no signature {name!r} that returns "
                    f"{', '.join(sorted(outputs))}",
                )

    def predict(self, texts: Iterable[str]) -> Opinions:
        """Return the terms of each text and what is said of them."""
        import tensorflow as tf

        check_fork()
        texts = as_texts(texts)
        run = self._model.signatures[SERVING]
        opinions: list[list[Opinion]] = [[] for _ in texts]
        for batch in batch_by_length(lengths_of(texts), BATCH_POINTS):
            encoded = tf.constant([utf8(texts[i]) for i in batch], tf.string)
            outputs = {name: x.numpy() for name, x in run(text=encoded).items()}
            check_finite(outputs["confidence"])
            for row in np.flatnonzero(outputs["count"]):
                number = batch[row]
                opinions[number] = _opinions(texts[number], outputs, int(row))
        return Opinions(texts, opinions)

    def find_terms(self, texts: list[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""
        return [
            [
                FoundTerm(
                    x.start,
                    x.stop,
                    x.polarity if self.typed else None,
                    x.confidence,
                    x.term,
                )
                for x in row
            ]
            for row in self.predict(texts)
        ]

    def _predict_polarity(self, targets: Sequence[Target]) -> np.ndarray:
        import tensorflow as tf

        check_fork()
        run = self._model.signatures[POLARITY]
        probabilities = np.empty((len(targets), len(self.polarity_names)), np.float32)
        lengths = lengths_of([target.text for target in targets])
        for batch in batch_by_length(lengths, BATCH_POINTS):
            rows = [targets[i] for i in batch]
            outputs = run(
                text=tf.constant([utf8(x.text) for x in rows], tf.string),
                start=tf.constant([x.start for x in rows], tf.int32),
                stop=tf.constant([x.stop for x in rows], tf.int32),
            )
            shape = (len(batch), len(self.polarity_names))
            path = self.folder.place / GRAPH
            probabilities[batch] = _checked(
                outputs[OUTPUT].numpy(), shape, OUTPUT, path
            )
        return probabilities


def _checked(
    values: np.ndarray, shape: tuple[int, ...], name: str, path: Path
) -> np.ndarray:
    """Return finite outputs of a file that have the shape that is expected."""
    if values.shape != shape:
        raise EXPORT.damaged(
            path, f"it returns {name} of the shape {values.shape}, not {shape}"
        )
    return check_finite(values)


def _opinions(text: str, outputs: dict[str, np.ndarray], row: int) -> list[Opinion]:
    """Return the terms of one text of a batch."""
    count = int(outputs["count"][row])
    columns: list[list[Any]] = [
        outputs[name][row, :count].tolist() if name in outputs else [None] * count
        for name in ("polarity", "start", "stop", "confidence", "polarity_confidence")
    ]
    if "polarity" in outputs:
        columns[0] = [label.decode() for label in columns[0]]
    return [
        Opinion(text[start:stop], polarity, start, stop, *shares)
        for polarity, start, stop, *shares in zip(*columns, strict=True)
    ]


def _session(
    folder: ExportFolder, threads: int | None, inputs: set[str], outputs: set[str]
) -> Any:
    """Return a session of a file that has these inputs and outputs."""
    path = folder.place / MODEL
    session = new_session(path, threads, "An ONNX aspect model")
    input_names = {x.name for x in session.get_inputs()}
    output_names = {x.name for x in session.get_outputs()}
    if input_names != inputs or not outputs <= output_names:
        raise EXPORT.damaged(
            path,
            f"it takes {', '.join(sorted(input_names))} and returns "
            f"{', '.join(sorted(output_names))}, not {', '.join(sorted(outputs))}",
        )
    return session


def _encoder(folder: ExportFolder) -> TextEncoder:
    tokenizer, tokens = read_tokenizer(folder), read_names(folder)
    return TextEncoder(tokenizer, Vocabulary(tokens), max_length=2**31 - 1)
