"""A fine-tuned transformer encoder as a classifier, from any tool's folder."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from emoclf.batching import batch_by_length, lengths_of
from emoclf.bundle.described_folder import (
    FINE_TUNED,
    SEQUENCE_CLASSIFIER,
    readable_place,
    write_sums,
)
from emoclf.classifier import DEFAULT_THRESHOLD, Classifier, check_finite
from emoclf.contextual.fine_tuned import FineTuning
from emoclf.contextual.fine_tuned_card import fine_tuned_card
from emoclf.contextual.pretrained import EXTRA, load_pretrained, plain_config
from emoclf.errors import ModelError
from emoclf.fingerprint import digest
from emoclf.optional import require
from emoclf.text.validation import as_texts
from emoclf.text.vocabulary import FIRST_TOKEN_ID, UNKNOWN

logger = logging.getLogger(__name__)

NOUN = "a fine-tuned encoder"
ONE_LABEL = "single_label_classification"
MULTILABEL = "multi_label_classification"
CARD = "README.md"
#: Tokens that are read where the folder does not say how many the model takes.
MAX_TOKENS = 512
#: Names that transformers gives to labels without names.
NO_NAME = re.compile(r"LABEL_[0-9]+")


class TransformerClassifier(Classifier):
    """Classifier that predicts with a fine-tuned encoder of the transformers library.

    :meth:`load` reads what ``emoclf teach --fine-tune`` wrote, or the folder or the hub
    name of any sequence classifier whose weights are in safetensors.

    Parameters
    ----------
    name : str
        Folder or name on the Hub.
    tokenizer : PreTrainedTokenizerFast
    model : PreTrainedModel
        A model for sequence classification, on the CPU.
    fine_tuning : FineTuning, optional
        How it answers; default: temperature 1 and thresholds of 0.5.

    Raises
    ------
    ModelError
        If the model predicts a number, or its labels have no different names.
    """

    def __init__(
        self,
        name: str,
        tokenizer: Any,
        model: Any,
        fine_tuning: FineTuning | None = None,
    ) -> None:
        self.name, self.tokenizer, self.model = name, tokenizer, model
        self._label_names = _label_names(name, model.config)
        if tokenizer.pad_token_id is None:
            raise ModelError(
                f"The tokenizer of {name!r} has no padding token, so that texts cannot "
                "be predicted together. Use another model."
            )
        self.fine_tuning = fine_tuning or FineTuning(
            max_tokens=_max_tokens(tokenizer, model.config)
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a fine-tuned encoder.

        Parameters
        ----------
        path : str or path
            Folder that ``emoclf teach --fine-tune`` or another tool has written, or a
            name on the Hugging Face Hub. Code of a model is never run.

        Raises
        ------
        ModelError
            If there is no such model, it is incomplete, or no classifier.
        BundleError
            If a file that emoclf wrote was changed.
        MissingDependency
            If transformers or torch is not installed.
        """
        if isinstance(path, str | os.PathLike):
            folder = readable_place(Path(path))
            path = os.fspath(folder) if folder.is_dir() else path
        tokenizer, model, missing = load_pretrained(
            path, noun=NOUN, model_class="AutoModelForSequenceClassification"
        )
        name = os.fspath(path)
        classes = model.config.architectures or []
        if missing or not any(x.endswith(SEQUENCE_CLASSIFIER) for x in classes):
            reason = f"its config.json has {', '.join(classes) or 'no architecture'}"
            if missing:
                reason = f"it has no weights for {', '.join(missing[:3])}"
            raise ModelError(
                f"{name!r} is no fine-tuned classifier: {reason}. Fine-tune it first: "
                f"emoclf teach DATA --encoder {name} --fine-tune -o FOLDER"
            )
        about = None
        if (Path(name) / FINE_TUNED.about).exists():
            about = FineTuning.read(Path(name), len(model.config.id2label))
        classifier = cls(name, tokenizer, model, about)
        if all(map(NO_NAME.fullmatch, classifier.label_names)):
            logger.warning(
                "%s does not name its labels: they are called %s and so on. Write "
                "their names into id2label of its config.json.",
                name,
                classifier.label_names[0],
            )
        return classifier

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        metrics: Mapping[str, Any] | None = None,
    ) -> Path:
        """Save a folder that transformers, and :meth:`load`, can read.

        Parameters
        ----------
        path : path
        overwrite : bool, default=False
            Replace such a folder.
        metrics : mapping, optional
            Metrics for its description and its model card, beside those it has.

        Returns
        -------
        path : Path
        """
        about = self.fine_tuning
        about = replace(about, metrics={**about.metrics, **(metrics or {})})
        target = FINE_TUNED.place(path)
        with FINE_TUNED.new_folder(target, overwrite=overwrite) as folder:
            # In one file, whose checksum is known.
            self.model.save_pretrained(folder, max_shard_size="1TB")
            self.tokenizer.save_pretrained(folder)
            document = json.dumps(about.to_dict(), indent=1).encode()
            (folder / FINE_TUNED.about).write_bytes(document)
            card = fine_tuned_card(about, self.label_names, multilabel=self.multilabel)
            (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
            names = sorted(file.name for file in folder.iterdir())
            for name in names:
                # safetensors writes files that only their owner may read.
                (folder / name).chmod((folder / CARD).stat().st_mode)
            write_sums(folder, names)
        return target

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""
        return self._label_names

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.model.config.problem_type == MULTILABEL

    @property
    def architecture(self) -> str:
        """Name of the encoder that was fine-tuned, or of the model's class."""
        base = os.path.basename(self.fine_tuning.base.rstrip("/"))
        return f"fine-tuned {base}" if base else type(self.model).__name__

    @property
    def data_settings(self) -> dict[str, Any]:
        """Settings with which the training file was read, if they are known."""
        return dict(self.fine_tuning.settings.get("data", {}))

    @property
    def text_column(self) -> str | None:
        """Column of the training texts; None if unknown, or if they were a list."""
        return self.fine_tuning.text_column

    @property
    def thresholds(self) -> np.ndarray:
        """Lowest probability at which each label is predicted (multilabel only).

        Shape (n_classes,); chosen on texts that were held out of the training texts.
        """
        if self.fine_tuning.thresholds is None:
            return np.full(len(self.label_names), DEFAULT_THRESHOLD)
        return np.array(self.fine_tuning.thresholds)

    def digest(self) -> str:
        """Return a digest of all that its probabilities depend on."""
        config = plain_config(self.model.config)
        about = [self.fine_tuning.temperature, self.fine_tuning.max_tokens]
        weights = sorted(self.model.state_dict().items())
        arrays = (tensor.cpu().float().numpy() for _, tensor in weights)
        # Its two other entries are those of the texts that were read last.
        tokenizer = json.loads(self.tokenizer.backend_tokenizer.to_str())
        tokenizer |= {"truncation": None, "padding": None}
        names = [name for name, _ in weights]
        return digest(config, about, tokenizer, names, *arrays)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str
            Also a DataFrame: its only column, or that of the training texts.

        Returns
        -------
        probabilities : ndarray of float32, shape (n_texts, n_classes)
            Columns in the order of :attr:`label_names`.

        Raises
        ------
        DataError
            If a text is not a str.
        """
        texts = as_texts(texts, self.text_column)
        logits = self._logits(texts) / self.fine_tuning.temperature
        probabilities = probabilities_of(logits, multilabel=self.multilabel)
        return check_finite(probabilities.astype(np.float32))

    def _logits(self, texts: list[str]) -> np.ndarray:
        """Return the logits of each text, float64 of shape (n_texts, n_classes)."""
        torch: Any = require("torch", extra=EXTRA, needed_by=NOUN)
        logits = np.zeros((len(texts), len(self.label_names)))
        encoded = encode(self.tokenizer, texts, self.fine_tuning.max_tokens)
        for batch in batch_by_length(lengths_of([x["input_ids"] for x in encoded])):
            inputs = self.tokenizer.pad(
                [encoded[i] for i in batch.tolist()], return_tensors="pt"
            )
            with torch.inference_mode():
                logits[batch] = self.model(**inputs).logits.float().numpy()
        return logits

    def token_ids(self, texts: list[str]) -> Sequence[np.ndarray]:
        """Return the ids of each text's tokens, int32 of shape (length,).

        As in our own vocabularies, 1 stands for unknown words, and 0 for padding; the
        special tokens at the ends are left out.
        """
        if not texts:
            return []
        unknown = self.tokenizer.unk_token_id
        lists = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        rows = (np.array(ids, np.int32) for ids in lists)
        return [np.where(ids == unknown, UNKNOWN, FIRST_TOKEN_ID + ids) for ids in rows]


def probabilities_of(logits: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """Return the probabilities of logits of shape (n_texts, n_classes)."""
    if multilabel:
        return 1 / (1 + np.exp(-logits.clip(-500, 500)))
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def encode(
    tokenizer: Any, texts: Sequence[str], max_tokens: int
) -> list[dict[str, list[int]]]:
    """Return the inputs of a model for each text, without padding."""
    if not texts:
        return []
    batch = tokenizer(list(texts), truncation=True, max_length=max_tokens)
    rows = [
        dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)
    ]
    for row in rows:
        if not row["input_ids"]:
            # Without special tokens, an empty text is one token of padding.
            row.update({name: [1] for name in row})
            row["input_ids"] = [tokenizer.pad_token_id]
    return rows


def _label_names(name: str, config: Any) -> tuple[str, ...]:
    """Return the names of the labels."""
    names = tuple(str(config.id2label.get(i)) for i in range(config.num_labels))
    kind = config.problem_type
    if kind not in (None, ONE_LABEL, MULTILABEL) or (kind is None and len(names) < 2):
        raise ModelError(
            f"{name!r} predicts a number, and no labels (problem_type {kind!r}, "
            f"{len(names)} output). Use a classifier."
        )
    if len({*names, "None", ""}) != len(names) + 2:
        raise ModelError(
            f"The labels of {name!r} must have different names. Got "
            f"{', '.join(map(repr, names[:5]))}. Correct id2label in its config.json."
        )
    return names


def _max_tokens(tokenizer: Any, config: Any) -> int:
    """Return the number of tokens that a model takes, at most 512."""
    # RoBERTa's first two positions are not for tokens; a tokenizer that does not know
    # a limit has one of 1e30.
    positions = getattr(config, "max_position_embeddings", None) or MAX_TOKENS
    if tokenizer.model_max_length > positions:
        return max(1, min(MAX_TOKENS, positions - 2))
    return min(MAX_TOKENS, tokenizer.model_max_length)
