"""Fine-tune a transformer encoder on labelled texts, with the trainer of transformers.

Of the training texts a part is held out, which chooses the epoch, the temperature and
the thresholds: texts of a validation or test set stay unseen.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.summary import TEXT_HASHES
from emoclf.bundle.text_hashes import hash_texts
from emoclf.contextual.fine_tune_settings import FineTuneSettings
from emoclf.contextual.fine_tuned import FineTuning
from emoclf.contextual.pretrained import EXTRA, Pretrained, load_pretrained
from emoclf.contextual.trainer_run import CHECKPOINT, NEEDED_BY, Progress, TrainerRun
from emoclf.contextual.transformer_classifier import (
    MULTILABEL,
    ONE_LABEL,
    TransformerClassifier,
)
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import hold_out
from emoclf.datasets.trainable import check_trainable
from emoclf.errors import DataError, ResumeError
from emoclf.evaluation.temperature import at_temperature, fit_temperature
from emoclf.fingerprint import RUN_FILE, check_fingerprint, digest, write_fingerprint
from emoclf.optional import require
from emoclf.settings import DataSettings
from emoclf.training.thresholds import choose_thresholds


def fine_tune_encoder(
    train: Dataset,
    encoder: str | os.PathLike[str],
    settings: FineTuneSettings | Mapping[str, Any] | None = None,
    *,
    data_settings: DataSettings | None = None,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    **flat: Any,
) -> TransformerClassifier:
    """Fine-tune an encoder; a part that is held out of ``train`` chooses the epoch.

    Parameters
    ----------
    train : Dataset
        Training set, with one label or several for each text.
    encoder : str or path
        Folder of an encoder of transformers or sentence-transformers, or its name on
        the Hugging Face Hub.
    settings : FineTuneSettings or mapping, optional
    data_settings : DataSettings, optional
        Settings with which the texts were read; ``near_duplicates`` counts here too.
    seed : int
        Seed of the held-out part, the head, the batches and dropout.
    checkpoint : path, optional
        Folder for the state of the training; the caller removes it when the result is
        saved: :func:`remove_checkpoint`.
    resume : bool, default=False
        Whether to continue from the checkpoint.
    progress : callable, optional
        Function of the number of steps that are done, and of all.
    **flat
        Single settings, such as ``epochs=3``, which override ``settings``.

    Returns
    -------
    classifier : TransformerClassifier
        Its temperature and its thresholds were chosen on the held-out part.

    Raises
    ------
    DataError, SettingsError, ModelError, TrainingError, ResumeError, MissingDependency
    """
    settings = FineTuneSettings.of(settings, flat)
    data_settings = data_settings or DataSettings()
    # The trainer imports it late, and says less about it.
    require("accelerate", extra=EXTRA, needed_by=NEEDED_BY)
    check_trainable(train)
    if not train.has_texts:
        raise DataError(
            f"{train.source} contains vectors without their texts, and an encoder "
            "reads texts. Give the texts."
        )
    rest, held = hold_out(
        train,
        settings.held_out,
        seed=seed,
        near_duplicates=data_settings.near_duplicates,
    )
    place = (
        nullcontext(checkpoint)
        if checkpoint
        else tempfile.TemporaryDirectory(prefix="emoclf-", ignore_cleanup_errors=True)
    )
    with place as name, _seeded(seed):
        pretrained = _with_new_head(encoder, train)
        folder = Path(name)
        fingerprint = {
            "settings": settings.to_dict(),
            "seed": seed,
            "encoder": pretrained.digest(),
            "training texts": digest(list(train.texts), list(train.labels)),
            # They choose the epoch: none of them may have been trained on.
            "held-out texts": digest(held),
            "versions": _versions(),
        }
        _begin(folder, fingerprint, resume=resume)
        show = progress or (lambda done, total: None)
        run = TrainerRun(pretrained, train, rest, held, settings, folder, seed, show)
        metrics = run.train()
        best = load_pretrained(
            folder / f"{CHECKPOINT}{metrics['best_step']}",
            noun="a checkpoint",
            model_class="AutoModelForSequenceClassification",
        )
    base = os.fspath(encoder)
    if (path := Path(encoder)).is_dir():
        path = path.resolve()
        # Packages of encoders call the folder itself "model".
        base = path.parent.name if path.name == "model" else path.name
    about = FineTuning(
        base=base,
        max_tokens=settings.max_tokens,
        text_column=train.text_column,
        settings={
            "data": data_settings.to_dict(),
            "fine_tuning": settings.to_dict(),
            "seed": seed,
        },
        versions=_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    plain = TransformerClassifier(base, pretrained.tokenizer, best.model, about)
    metrics[TEXT_HASHES] = hash_texts(train.texts)
    return _calibrated(plain, train.take(held), metrics)


def _with_new_head(encoder: str | os.PathLike[str], train: Dataset) -> Pretrained:
    """Load an encoder with a head for the labels, of random weights."""
    return load_pretrained(
        encoder,
        model_class="AutoModelForSequenceClassification",
        num_labels=len(train.label_names),
        id2label=dict(enumerate(train.label_names)),
        label2id={name: i for i, name in enumerate(train.label_names)},
        problem_type=MULTILABEL if train.multilabel else ONE_LABEL,
        # An encoder that was fine-tuned on other labels gets a new head.
        ignore_mismatched_sizes=True,
    )


def _versions() -> dict[str, str]:
    """Return the versions of the packages on which the numbers depend."""
    names = ("torch", "transformers", "accelerate", "numpy")
    return {"emoclf": __version__, **{name: version(name) for name in names}}


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generators that the trainer uses, and restore them afterwards."""
    torch: Any = require("torch", extra=EXTRA, needed_by=NEEDED_BY)
    before = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.random.set_rng_state(before[2])


def _begin(folder: Path, fingerprint: Mapping[str, Any], *, resume: bool) -> None:
    """Begin a checkpoint, or check that it belongs to this run."""
    if resume and has_checkpoint(folder):
        check_fingerprint(folder, fingerprint)
        return
    remove_checkpoint(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ResumeError(
            f"{folder} is not empty, and not a checkpoint. Move it away, or name "
            "another output."
        )
    write_fingerprint(folder, fingerprint)


def has_checkpoint(folder: Path) -> bool:
    """Say whether a folder has the checkpoint of a fine-tuning."""
    return (folder / RUN_FILE).is_file()


def remove_checkpoint(folder: str | os.PathLike[str]) -> None:
    """Remove the checkpoint of a fine-tuning, and nothing else."""
    folder = Path(folder)
    if has_checkpoint(folder):
        for path in folder.glob(f"{CHECKPOINT}*"):
            shutil.rmtree(path, ignore_errors=True)
        (folder / RUN_FILE).unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _calibrated(
    plain: TransformerClassifier, held: Dataset, metrics: dict[str, Any]
) -> TransformerClassifier:
    """Return the classifier with a temperature and thresholds."""
    probabilities, truth = plain.predict_proba(held.texts), held.label_ids
    temperature = fit_temperature(probabilities, truth)
    thresholds = None
    if plain.multilabel:
        scaled = at_temperature(probabilities, temperature, multilabel=True)
        thresholds = tuple(choose_thresholds(scaled, truth).tolist())
    about = replace(
        plain.fine_tuning,
        temperature=temperature,
        thresholds=thresholds,
        metrics={**metrics, "held_out_texts": len(held)},
    )
    return TransformerClassifier(plain.name, plain.tokenizer, plain.model, about)
