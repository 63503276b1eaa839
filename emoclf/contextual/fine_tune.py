"""Fine-tune a transformer encoder on labelled texts, with the trainer of transformers.

Of the training texts a part is held out, which chooses the epoch, the temperature and
the thresholds: texts of a validation or test set stay unseen.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.json_values import JsonObject, read_json
from emoclf.contextual.fine_tune_settings import FineTuneSettings
from emoclf.contextual.fine_tuned import FineTuning
from emoclf.contextual.length_groups import LengthGroups
from emoclf.contextual.pretrained import EXTRA, Pretrained, load_pretrained
from emoclf.contextual.transformer_classifier import (
    MULTILABEL,
    ONE_LABEL,
    TransformerClassifier,
    encode,
)
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import hold_out
from emoclf.datasets.trainable import check_trainable
from emoclf.errors import DataError, ResumeError, TrainingError, setting
from emoclf.evaluation.metrics import evaluate_probabilities, log_loss
from emoclf.evaluation.temperature import at_temperature, fit_temperature
from emoclf.fingerprint import RUN_FILE, check_fingerprint, digest, write_fingerprint
from emoclf.optional import require
from emoclf.settings import DataSettings
from emoclf.training.thresholds import choose_thresholds

logger = logging.getLogger(__name__)

NEEDED_BY = "fine-tuning"
#: Names that the trainer of transformers gives to its checkpoints and their states.
CHECKPOINT, STATE = "checkpoint-", "trainer_state.json"
#: Metric of the held-out texts that chooses the epoch.
MONITOR = "log_loss"
EPOCHS_KEPT = 2

#: Function of the number of steps done and of all.
Progress = Callable[[int, int], None]


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
        Folder of an encoder of transformers or sentence-transformers, or its name in
        the hub of Hugging Face.
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
    with _seeded(seed):
        pretrained = _with_new_head(encoder, train)
        folder = Path(checkpoint or tempfile.mkdtemp(prefix="emoclf-"))
        try:
            fingerprint = {
                "settings": settings.to_dict(),
                "seed": seed,
                "encoder": _digest_of(pretrained),
                "training texts": digest(list(train.texts), list(train.labels)),
                "versions": _versions(),
            }
            _begin(folder, fingerprint, resume=resume)
            run = _Run(pretrained, train, rest, held, settings, folder, seed, progress)
            metrics = run.train()
            best = load_pretrained(
                folder / f"{CHECKPOINT}{metrics['best_step']}",
                noun="a checkpoint",
                model_class="AutoModelForSequenceClassification",
            )
        finally:
            if checkpoint is None:
                shutil.rmtree(folder, ignore_errors=True)
    name = os.path.basename(os.path.abspath(encoder))
    base = name if os.path.isdir(encoder) else os.fspath(encoder)
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


def _digest_of(pretrained: Pretrained) -> str:
    config, weights = pretrained.model.config, pretrained.model.state_dict()
    return digest(
        config.to_json_string(), *(weights[name].numpy() for name in sorted(weights))
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


class _Run:
    """One training, which a checkpoint of its folder may continue."""

    def __init__(
        self,
        pretrained: Pretrained,
        train: Dataset,
        rest: np.ndarray,
        held: np.ndarray,
        settings: FineTuneSettings,
        folder: Path,
        seed: int,
        progress: Progress | None,
    ) -> None:
        self.pretrained, self.settings, self.folder = pretrained, settings, folder
        self.seed, self.progress = seed, progress or (lambda done, total: None)
        targets = train.label_ids
        if train.multilabel:
            targets = targets.astype(np.float32)
        rows = encode(pretrained.tokenizer, train.texts, settings.max_tokens)
        for row, target in zip(rows, targets.tolist(), strict=True):
            row["labels"] = target
        held = held[np.argsort([len(rows[i]["input_ids"]) for i in held])]
        self.train_rows = [rows[i] for i in rest.tolist()]
        self.held_rows = [rows[i] for i in held.tolist()]
        self.label_names, self.truth = train.label_names, targets[held]
        self.groups = LengthGroups(
            [len(row["input_ids"]) for row in self.train_rows],
            settings.batch_size,
            seed=seed,
        )

    def train(self) -> dict[str, Any]:
        """Train, and return the metrics of each epoch and the best step."""
        last = last_checkpoint(self.folder)
        if last is None or not self._has_ended(read_json(last / STATE)):
            trainer = self._trainer()
            try:
                # Of the checkpoint, weights are read from safetensors; the states of
                # the optimizer and of the random numbers by torch.load with
                # weights_only=True, whose reader knows tensors and plain values and
                # runs no code. run.json has shown that the folder is our own.
                trainer.train(resume_from_checkpoint=last and str(last))
            except RuntimeError as error:
                raise TrainingError(
                    f"The fine-tuning failed: {error}. Too little memory? Take a "
                    f"smaller {setting('batch_size')} or {setting('max_tokens')}."
                ) from error
            last = last_checkpoint(self.folder)
        if last is None:
            raise TrainingError(f"{self.folder} has lost its checkpoints. Begin again.")
        state = read_json(last / STATE)
        epochs = self._epochs(state)
        best = JsonObject(state).whole("best_global_step")
        if not (self.folder / f"{CHECKPOINT}{best}").is_dir():
            raise TrainingError(
                f"{self.folder} has lost the best checkpoint, {CHECKPOINT}{best}. "
                "Begin again."
            )
        return {
            "epochs": epochs,
            "best_step": best,
            "best_epoch": min(epochs, key=lambda epoch: epoch[MONITOR])["epoch"],
        }

    def _trainer(self) -> Any:
        """Return the trainer of transformers."""
        library: Any = require("transformers", extra=EXTRA, needed_by=NEEDED_BY)
        torch: Any = require("torch", extra=EXTRA, needed_by=NEEDED_BY)
        settings = self.settings
        arguments = library.TrainingArguments(
            output_dir=str(self.folder),
            num_train_epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=2 * settings.batch_size,
            warmup_steps=settings.warmup,
            weight_decay=settings.weight_decay,
            eval_strategy="epoch",
            save_strategy="steps",
            save_steps=settings.saved_steps,
            save_total_limit=EPOCHS_KEPT,
            metric_for_best_model=MONITOR,
            greater_is_better=False,
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            use_cpu=not torch.cuda.is_available(),
            bf16=settings.bfloat16,
            seed=self.seed,
        )
        run = self

        class Trainer(library.Trainer):
            def get_train_dataloader(self) -> Any:
                loader = torch.utils.data.DataLoader(
                    run.train_rows,
                    batch_sampler=run.groups,
                    collate_fn=self.data_collator,
                )
                return self.accelerator.prepare(loader)

        class Callback(library.TrainerCallback):
            def on_epoch_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
                run.groups.epoch = state.global_step // len(run.groups)

            def on_step_end(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
                run.progress(state.global_step, state.max_steps)

            def on_epoch_end(
                self, args: Any, state: Any, control: Any, **_: Any
            ) -> None:
                # After the evaluation, so that the state has its metrics.
                control.should_save = True

            def on_evaluate(
                self, args: Any, state: Any, control: Any, **_: Any
            ) -> None:
                values = {"log_history": state.log_history}
                run.log_epoch(run._epochs(values)[-1])
                control.should_training_stop |= run._has_ended(values)

        trainer = Trainer(
            model=self.pretrained.model,
            args=arguments,
            data_collator=library.DataCollatorWithPadding(self.pretrained.tokenizer),
            train_dataset=self.train_rows,
            eval_dataset=self.held_rows,
            processing_class=self.pretrained.tokenizer,
            compute_metrics=self._metrics,
            callbacks=[Callback()],
        )
        trainer.remove_callback(library.PrinterCallback)
        return trainer

    def _metrics(self, prediction: Any) -> dict[str, float]:
        """Return the metrics of the held-out texts at their best temperature."""
        logits = np.asarray(prediction.predictions, np.float64)
        several = self.truth.ndim == 2
        if several:
            probabilities = 1 / (1 + np.exp(-logits))
        else:
            powers = np.exp(logits - logits.max(1, keepdims=True))
            probabilities = powers / powers.sum(1, keepdims=True)
        truth = self.truth.astype(np.int64)
        temperature = fit_temperature(probabilities, truth)
        # The temperature is fitted at the end, so it must not decide the epoch.
        probabilities = at_temperature(probabilities, temperature, multilabel=several)
        found = evaluate_probabilities(
            probabilities, truth, self.label_names, name="", part=""
        )
        return {
            MONITOR: log_loss(probabilities, truth),
            "accuracy": found.accuracy,
            "macro_f1": found.macro_f1,
        }

    def _epochs(self, state: Mapping[str, Any]) -> list[dict[str, float]]:
        """Return the metrics of each epoch."""
        entries = JsonObject(state).objects("log_history")
        return [
            {
                "epoch": round(entry.number("epoch")),
                **{
                    name: entry.number(f"eval_{name}")
                    for name in (MONITOR, "accuracy", "macro_f1")
                },
            }
            for entry in entries
            if f"eval_{MONITOR}" in entry.values
        ]

    def _has_ended(self, state: Mapping[str, Any]) -> bool:
        """Say whether the last epoch was trained, or no better one came for long."""
        losses = [epoch[MONITOR] for epoch in self._epochs(state)]
        if not losses:
            return False
        since = len(losses) - 1 - int(np.argmin(losses))
        return len(losses) >= self.settings.epochs or since >= self.settings.patience

    def log_epoch(self, epoch: Mapping[str, float]) -> None:
        """Log the metrics of the held-out texts."""
        logger.info(
            "epoch %d/%d  held-out texts: log loss %.3f  accuracy %.3f  macro-F1 %.3f",
            epoch["epoch"],
            self.settings.epochs,
            epoch[MONITOR],
            epoch["accuracy"],
            epoch["macro_f1"],
        )


def last_checkpoint(folder: Path) -> Path | None:
    """Return the last complete checkpoint; its state is written after the rest."""
    paths = {
        int(path.name.removeprefix(CHECKPOINT)): path
        for path in folder.glob(f"{CHECKPOINT}[0-9]*")
        if path.name.removeprefix(CHECKPOINT).isdecimal()
    }
    for _, path in sorted(paths.items(), reverse=True):
        try:
            JsonObject(read_json(path / STATE)).objects("log_history")
        except (OSError, ValueError):
            continue
        return path
    return None


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
