"""``emoclf tune``: search for the best settings."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.cli import amounts, report_option, tune_show, tune_worker
from emoclf.cli.bulk_runs import continued_by_the_same_command
from emoclf.cli.data_options import add_data, read_data
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import add_option, new_command, print_json, print_lines
from emoclf.cli.train import tensorboard_folder
from emoclf.errors import did_you_mean
from emoclf.evaluation.metric_names import MAIN_METRIC, OBJECTIVES
from emoclf.runtime import available_cores, load_tensorflow

CHIEF = "chief"
# Each worker takes about 1 GB of memory, so that more could fill a laptop's.
WORKERS = min(4, available_cores())
EXAMPLE = (
    "emoclf tune sentences.csv --trials 30 --folds 3 --workers 2\n"
    "  emoclf tune show sentences.search\n"
    "\nother commands (emoclf tune COMMAND --help):\n"
    "  show    show the result of a search, also while it runs\n"
    "  chief   run a search whose trials run on other machines\n"
    "  worker  run trials of such a search"
)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command; the word after ``tune`` may name another one."""
    word = argv[1] if argv[:1] == ["tune"] and len(argv) > 1 else ""
    has_command = word in (CHIEF, tune_worker.NAME, tune_show.NAME)
    parser = new_command(
        subparsers,
        "tune",
        arguments="COMMAND" if has_command else "DATA",
        help="search for the best filters, learning rate and other settings",
        details="The winner is trained again and evaluated on the test set, once.",
        example=EXAMPLE,
    )
    if argv[:1] != ["tune"]:
        return
    if not has_command:
        near = did_you_mean(word, (CHIEF, tune_worker.NAME, tune_show.NAME))
        if near and os.sep not in word and not os.path.exists(word):
            parser.error(f"there is no command or file {word!r}.{near}")
        _add_options(parser, argv)
        return
    commands = parser.add_subparsers(
        metavar="COMMAND", required=True, prog="emoclf tune"
    )
    if word == CHIEF:
        chief = new_command(
            commands,
            CHIEF,
            arguments="DATA",
            help="run a search whose trials run on other machines",
            example=(
                "emoclf tune chief sentences.csv -o /shared/search "
                "--address 0.0.0.0:8000"
            ),
        )
        _add_chief_options(chief)
        _add_options(chief, argv, workers=0)
    tune_worker.add_parser(commands)
    tune_show.add_parser(commands)


def _add_options(
    parser: argparse.ArgumentParser, argv: Sequence[str], *, workers: int = WORKERS
) -> None:
    add_option(
        parser,
        "-o --output FOLDER",
        "folder of the search; the same command continues it (default: DATA.search)",
    )
    add_option(
        parser, "--new", "move an older search in the folder aside, and begin a new one"
    )
    report_option.add(parser)
    add_data(parser)
    add_option(parser, "--tensorboard FOLDER", tune_show.TENSORBOARD_HELP)
    _add_search_options(parser)
    _add_worker_options(parser, workers)
    _add_budget_options(parser)
    add_settings(parser, argv=argv)
    parser.set_defaults(
        run=run, address=None, token_file=None, lost_after=60.0, wait=3600.0
    )


def _add_search_options(parser: argparse.ArgumentParser) -> None:
    from emoclf.tuning.results.outcome import STRATEGIES

    group = parser.add_argument_group("search")
    add_option(group, "--trials N", "number of trials", default=20)
    add_option(
        group,
        "--folds K",
        "score a trial by the mean over K stratified folds (default: 3)",
        type=int,
    )
    add_option(
        group,
        "--seeds N",
        "score a trial by the mean over N seeds on the validation set instead",
        type=int,
    )
    add_option(
        group, "--space FILE", "search space (TOML file; default: the built-in space)"
    )
    add_option(
        group,
        "--strategy NAME",
        f"search strategy: {', '.join(STRATEGIES)}",
        default="random",
    )
    add_option(
        group,
        "--objective NAME",
        f"metric to optimize: {', '.join(OBJECTIVES)}; average_precision is for "
        "multilabel data only",
        default=MAIN_METRIC,
    )
    group.add_argument(
        "--no-prune",
        dest="prune",
        action="store_false",
        help="run every trial to its end (default: stop trials that cannot win)",
    )
    add_option(
        group, "--keep N", "number of best trials whose classifiers are kept", default=3
    )


def _add_worker_options(parser: argparse.ArgumentParser, workers: int) -> None:
    group = parser.add_argument_group("workers")
    text = "number of worker processes on this machine"
    add_option(group, "--workers N", text, default=workers)
    add_option(
        group,
        "--threads N",
        "number of threads per worker; scores depend on it, but not on the number of "
        "workers",
        default=1,
    )


def _add_budget_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "budget and limits",
        "Size and prediction time are those of the folded export, if there is one.",
    )
    for spec, parse, text in (
        ("--time TIME", amounts.seconds, "time budget, such as 90s, 15m or 8h"),
        ("--trial-time TIME", amounts.seconds, "time limit of each trial"),
        (
            "--max-parameters N",
            amounts.count,
            "maximum number of parameters, such as 2M",
        ),
        ("--max-bytes SIZE", amounts.n_bytes, "maximum size on disk, such as 5MB"),
        ("--max-ms MS", float, "maximum prediction time per text, in milliseconds"),
    ):
        add_option(group, spec, text, type=parse)


def _add_chief_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("workers on other machines")
    add_option(
        group,
        "--address HOST:PORT",
        "address to listen on (HOST:PORT)",
        required=True,
    )
    tune_worker.add_token_option(group)
    add_option(
        group,
        "--lost-after TIME",
        "time without a message from a worker until its trial is reassigned",
        type=amounts.seconds,
        default="60s",
    )
    add_option(
        group,
        "--wait TIME",
        "time without any worker until the search ends",
        type=amounts.seconds,
        default="1h",
    )


def run(args: argparse.Namespace) -> int:
    """Search, and print the result."""
    settings = settings_from(args)
    report_option.check(args)
    board = tensorboard_folder(args)
    load_tensorflow()
    from emoclf.training.progress import TrainingProgress
    from emoclf.tuning.budget import Budget
    from emoclf.tuning.limits import Limits
    from emoclf.tuning.plan import new_plan
    from emoclf.tuning.report.live_progress import LiveProgress
    from emoclf.tuning.search import Listeners, default_folder, run_search

    plan = new_plan(
        settings,
        space=args.space,
        objective=args.objective,
        folds=args.folds,
        seeds=args.seeds,
        strategy=args.strategy,
        prune=args.prune,
        trial_seconds=args.trial_time,
        limits=Limits(args.max_parameters, args.max_bytes, args.max_ms),
        threads=args.threads,
    )
    budget = Budget(
        trials=args.trials,
        workers=args.workers,
        seconds=args.time,
        keep=args.keep,
        address=args.address,
        token=tune_worker.read_token(args.token_file) if args.address else "",
        patience=args.lost_after,
        wait=args.wait,
    )
    _, split = read_data(args, settings)
    listeners = Listeners()
    if not args.quiet:
        view = LiveProgress(args.trials, workers=args.workers)
        listeners = Listeners(
            view.begin, view.end, lambda epochs: [TrainingProgress(epochs)]
        )
    folder = args.output or default_folder(args.data)
    with continued_by_the_same_command("search", folder):
        result = run_search(
            plan, split, folder, budget, new=args.new, listeners=listeners
        )
    if board:
        from emoclf.tuning.report.tensorboard_hparams import write_hparams

        write_hparams(result.outcomes, plan.objective, Path(board))
    if args.json:
        print_json(tune_show.as_values(result.plan, result.outcomes, result))
    else:
        tune_show.print_result(result)
    report_option.write(args, result, saved=result.folder)
    if not args.json:
        again = f"emoclf tune show {shlex.quote(str(result.folder))} --plots plots"
        print_lines(f"Show it again, with plots: {again}")
    return 0
