"""Searches that take seconds: a tiny corpus, a tiny space, one short training each."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from tiny import tiny_dataset, tiny_settings, tiny_split, tiny_trained

from emoclf.datasets.split import Split
from emoclf.tuning import finish
from emoclf.tuning.budget import Budget
from emoclf.tuning.finish import SearchResult
from emoclf.tuning.limits import Limits
from emoclf.tuning.plan import SearchPlan
from emoclf.tuning.results.outcome import Outcome
from emoclf.tuning.search import Listeners, run_search
from emoclf.tuning.space.space import Space

TABLES: dict[str, Any] = {
    "filters": {"choices": [4, 8]},
    "learning_rate": {"low": 0.005, "high": 0.05, "log": True},
}


def tiny_plan(
    tables: dict[str, Any] | None = None,
    flat: dict[str, Any] | None = None,
    **fields: Any,
) -> SearchPlan:
    """Return a plan whose trials take about a second."""
    settings = tiny_settings(**{"epochs": 3, **(flat or {})})
    values: dict[str, Any] = {
        "settings": settings,
        "space": Space.from_dict("text_cnn", tables or TABLES, name="tiny.toml"),
        "kind": "seeds",
        "repeats": 1,
        "prune": False,
        **fields,
    }
    return SearchPlan(**values)


def run(
    folder: Path,
    plan: SearchPlan | None = None,
    *,
    split: Split | None = None,
    new: bool = False,
    listeners: Listeners | None = None,
    train_winner: bool = True,
    **means: Any,
) -> SearchResult:
    """Run a tiny search.

    Without ``train_winner`` the tiny classifier takes the winner's place, evaluated and
    saved like a winner: tests of trials need no other training.
    """
    with ExitStack() as patches:
        if not train_winner:
            patches.enter_context(
                mock.patch.object(
                    finish, "train_classifier", return_value=tiny_trained()
                )
            )
        return run_search(
            plan or tiny_plan(),
            split or tiny_split(),
            folder,
            Budget(**{"trials": 3, **means}),
            new=new,
            listeners=listeners,
        )


def scores(outcomes: Any) -> list[tuple[int, dict[str, Any], list[dict[str, float]]]]:
    """Return what does not depend on when and where a trial ran."""
    return [
        (one.number, one.values, [repeat.metrics for repeat in one.repeats])
        for one in outcomes
    ]


def write_corpus(path: Path) -> Path:
    """Write the tiny corpus as a file."""
    data = tiny_dataset()
    rows = [
        f"{text},{label}" for text, label in zip(data.texts, data.labels, strict=True)
    ]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def environment() -> dict[str, str]:
    """Return an environment in which a process finds these modules."""
    import os

    paths = [str(Path(__file__).parent), *(path for path in sys.path if path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


__all__ = ["TABLES", "Limits", "Outcome", "environment", "run", "scores", "tiny_plan"]
