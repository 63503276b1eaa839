"""Settings of the fine-tuning of an encoder."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.settings.base import Settings, option


@dataclass(frozen=True, kw_only=True)
class FineTuneSettings(Settings):
    """Fine-tuning of a transformer encoder on labelled texts.

    The learning rate is that of small encoders such as MiniLM; larger ones, such as
    MPNet or BERT, need about 2e-5 to 3e-5.
    """

    epochs: int = option(4, "maximum number of epochs", low=1, high=1000)
    learning_rate: float = option(
        1e-4,
        "maximum learning rate, after a linear warm-up and before a linear decay",
        above=0,
        high=1,
    )
    batch_size: int = option(32, "texts per training step", low=1, high=4096)
    warmup: float = option(
        0.1, "share of the training steps in the warm-up", low=0, high=1
    )
    weight_decay: float = option(0.01, "weight decay of AdamW", low=0, high=1)
    max_tokens: int = option(
        128,
        "maximum number of tokens per text, including special tokens",
        low=4,
        high=8192,
    )
    held_out: float = option(
        0.1,
        "share of the training texts that is held out to select the epoch, the "
        "temperature and the thresholds",
        above=0,
        high=0.5,
    )
    patience: int = option(
        2, "epochs without improvement until early stopping", low=1, high=1000
    )
    saved_steps: int = option(
        200, "steps between two checkpoints within an epoch", low=1, high=1000000
    )
    bfloat16: bool = option(
        False,
        "compute in bfloat16: nearly twice as fast on processors that have it "
        "(avx512_bf16 or amx_bf16), far slower on others",
    )
