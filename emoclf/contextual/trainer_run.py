"""One training of the trainer of transformers, with checkpoints that continue it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.batching import lengths_of
from emoclf.bundle.json_values import JsonObject, read_json
from emoclf.contextual.fine_tune_settings import FineTuneSettings
from emoclf.contextual.length_groups import LengthGroups
from emoclf.contextual.pretrained import EXTRA, Pretrained
from emoclf.contextual.transformer_classifier import encode, probabilities_of
from emoclf.datasets.dataset import Dataset
from emoclf.errors import EmoclfError, TrainingError, setting
from emoclf.evaluation.metrics import evaluate_probabilities, log_loss
from emoclf.evaluation.temperature import at_temperature, fit_temperature
from emoclf.optional import require

logger = logging.getLogger(__name__)

NEEDED_BY = "fine-tuning"
#: Names that the trainer of transformers gives to its checkpoints and their states.
CHECKPOINT, STATE = "checkpoint-", "trainer_state.json"
#: Metric of the held-out texts that chooses the epoch.
MONITOR = "log_loss"
#: Metrics of an epoch.
METRIC_NAMES = (MONITOR, "accuracy", "macro_f1")
#: Checkpoints that are kept: the best one and the last one.
CHECKPOINTS_KEPT = 2

#: Function of the number of steps done and of all.
Progress = Callable[[int, int], None]


@dataclass(eq=False, repr=False)
class TrainerRun:
    """One training, which a checkpoint of its folder may continue.

    Parameters
    ----------
    pretrained : Pretrained
        Encoder with a new head, which is trained.
    dataset : Dataset
        Training set.
    rest, held : ndarray of int
        Positions of the texts that are trained on, and of those that are held out.
    settings : FineTuneSettings
    folder : Path
        Folder of the checkpoints; those in it belong to this run.
    seed : int
    progress : callable
    """

    pretrained: Pretrained
    dataset: Dataset
    rest: np.ndarray
    held: np.ndarray
    settings: FineTuneSettings
    folder: Path
    seed: int
    progress: Progress

    def __post_init__(self) -> None:
        train, settings = self.dataset, self.settings
        targets = train.label_ids
        rows = encode(self.pretrained.tokenizer, train.texts, settings.max_tokens)
        for row, target in zip(rows, targets.tolist(), strict=True):
            row["labels"] = target
        lengths = lengths_of([row["input_ids"] for row in rows])
        held = self.held[np.argsort(lengths[self.held])]
        self.train_rows = [rows[i] for i in self.rest.tolist()]
        self.held_rows = [rows[i] for i in held.tolist()]
        self.truth = targets[held].astype(np.int64)
        self.groups = LengthGroups(
            lengths[self.rest], settings.batch_size, seed=self.seed
        )

    def train(self) -> dict[str, Any]:
        """Train, and return the metrics of each epoch and the best step."""
        last = last_checkpoint(self.folder)
        if last is None or not self.has_ended(_epochs(read_json(last / STATE))):
            trainer = self._trainer()
            try:
                # Of the checkpoint, weights are read from safetensors; the states of
                # the optimizer and of the random numbers by torch.load with
                # weights_only=True, whose reader knows tensors and plain values and
                # runs no code. run.json has shown that the folder is our own.
                trainer.train(resume_from_checkpoint=last and str(last))
            except EmoclfError:
                raise
            except Exception as error:
                # torch, accelerate and safetensors raise almost anything.
                damaged = f" If {last} is damaged, remove it." if last else ""
                raise TrainingError(
                    f"The fine-tuning failed ({type(error).__name__}: {error}). If "
                    f"memory ran out, lower {setting('batch_size')} or "
                    f"{setting('max_tokens')}.{damaged}"
                ) from error
            last = last_checkpoint(self.folder)
        if last is None:
            raise TrainingError(
                f"{self.folder} contains no checkpoint any more. Begin again."
            )
        state = read_json(last / STATE)
        epochs = _epochs(state)
        best = JsonObject(state).whole("best_global_step")
        if not (self.folder / f"{CHECKPOINT}{best}").is_dir():
            raise TrainingError(
                f"{self.folder} does not contain the best checkpoint, "
                f"{CHECKPOINT}{best}, any more. Begin again."
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
            save_total_limit=CHECKPOINTS_KEPT,
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
            # Its own loaders look for the package datasets, and take any folder of
            # that name beside a notebook for it.
            def get_train_dataloader(self) -> Any:
                return self._loader(run.train_rows, batch_sampler=run.groups)

            def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
                size = self.args.per_device_eval_batch_size
                return self._loader(run.held_rows, batch_size=size)

            def _loader(self, rows: list[Any], **options: Any) -> Any:
                loader = torch.utils.data.DataLoader(
                    rows, collate_fn=self.data_collator, **options
                )
                return self.accelerator.prepare(loader)

        trainer = Trainer(
            model=self.pretrained.model,
            args=arguments,
            data_collator=library.DataCollatorWithPadding(self.pretrained.tokenizer),
            train_dataset=self.train_rows,
            eval_dataset=self.held_rows,
            processing_class=self.pretrained.tokenizer,
            compute_metrics=self._metrics,
            callbacks=[_callback(self, library.TrainerCallback)],
        )
        trainer.remove_callback(library.PrinterCallback)
        return trainer

    def _metrics(self, prediction: Any) -> dict[str, float]:
        """Return the metrics of the held-out texts at their best temperature."""
        logits = np.asarray(prediction.predictions, np.float64)
        if not np.isfinite(logits).all():
            rate = setting("learning_rate", self.settings.learning_rate)
            raise TrainingError(
                f"The fine-tuning diverged: the logits are not finite with {rate}. "
                "Lower it, or use another encoder."
            )
        multilabel = self.dataset.multilabel
        probabilities = probabilities_of(logits, multilabel=multilabel)
        temperature = fit_temperature(probabilities, self.truth)
        # The temperature is fitted at the end, so it must not decide the epoch.
        probabilities = at_temperature(
            probabilities, temperature, multilabel=multilabel
        )
        evaluation = evaluate_probabilities(
            probabilities, self.truth, self.dataset.label_names, name="", part=""
        )
        return {
            MONITOR: log_loss(probabilities, self.truth),
            "accuracy": evaluation.accuracy,
            "macro_f1": evaluation.macro_f1,
        }

    def has_ended(self, epochs: Sequence[Mapping[str, float]]) -> bool:
        """Say whether the last epoch was trained, or no better one came for long."""
        losses = [epoch[MONITOR] for epoch in epochs]
        if not losses:
            return False
        since = len(losses) - 1 - int(np.argmin(losses))
        return len(losses) >= self.settings.epochs or since >= self.settings.patience


def _callback(run: TrainerRun, base: Any) -> Any:
    """Return the callback that saves, logs and ends a training."""

    class Callback(base):
        def on_epoch_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
            run.groups.epoch = state.global_step // len(run.groups)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step % len(run.groups) == 0:
                # The end of an epoch is saved after its evaluation, and once.
                control.should_save = False
            run.progress(state.global_step, state.max_steps)

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            # After the evaluation, so that the state has its metrics.
            control.should_save = True

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            epochs = _epochs({"log_history": state.log_history})
            logger.info(
                "epoch %d/%d  held-out texts: log loss %.3f  accuracy %.3f  macro-F1 "
                "%.3f",
                epochs[-1]["epoch"],
                run.settings.epochs,
                *(epochs[-1][name] for name in METRIC_NAMES),
            )
            control.should_training_stop |= run.has_ended(epochs)

    return Callback()


def _epochs(state: Any) -> list[dict[str, float]]:
    """Return the metrics of each epoch."""
    return [
        {
            "epoch": round(entry.number("epoch")),
            **{name: entry.number(f"eval_{name}") for name in METRIC_NAMES},
        }
        for entry in JsonObject(state).objects("log_history")
        if f"eval_{MONITOR}" in entry.values
    ]


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
