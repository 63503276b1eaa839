"""``emoclf tune``: a search that can be stopped, resumed and believed."""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.cli import amounts, tune_show, tune_worker
from emoclf.cli.data_options import add_parts, parts_from
from emoclf.cli.messages import as_options
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import add_output_options, new_command, print_json
from emoclf.errors import SearchError
from emoclf.runtime import available_cores, load_tensorflow
from emoclf.settings import RunSettings

if TYPE_CHECKING:
    from emoclf.tuning.plan import SearchPlan

CHIEF = "chief"
#: More would often fill a laptop's memory: each takes about 1 GB.
WORKERS = min(4, available_cores())
HELP = "search filters, kernel sizes, learning rate and more"
EXAMPLE = (
    "emoclf tune sentences.csv --trials 30 --folds 3 --workers 2\n"
    "  emoclf tune show sentences.search\n"
    "\nsee also: emoclf tune chief --help, emoclf tune worker --help"
)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command; what follows ``tune`` may name another one."""
    word = argv[1] if len(argv) > 1 and argv[0] == "tune" else ""
    if word not in (CHIEF, tune_worker.NAME, tune_show.NAME):
        _describe(new_command(subparsers, "tune", help=HELP, example=EXAMPLE), argv)
        return
    parser = new_command(subparsers, "tune", help=HELP, example=EXAMPLE)
    others = parser.add_subparsers(metavar="COMMAND", required=True)
    if word == CHIEF:
        chief = new_command(
            others,
            CHIEF,
            help="a search whose trials run in workers elsewhere",
            example=(
                "emoclf tune chief sentences.csv -o /shared/search "
                "--address 0.0.0.0:8000"
            ),
        )
        _describe(chief, argv, workers=0)
        _add_chief_options(chief)
    tune_worker.add_parser(others)
    tune_show.add_parser(others)


def _describe(
    parser: argparse.ArgumentParser, argv: Sequence[str], *, workers: int = WORKERS
) -> None:
    add_parts(parser)
    parser.add_argument(
        "-o",
        "--output",
        help="folder of the search, DATA.search; the same command goes on with it",
    )
    parser.add_argument(
        "--new",
        action="store_true",
        help="move an older search in the folder away, and begin another",
    )
    _add_search_options(parser, workers)
    _add_budget_options(parser)
    add_output_options(parser)
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run, address=None, lost_after=60.0, wait=3600.0)


def _add_search_options(parser: argparse.ArgumentParser, workers: int) -> None:
    group = parser.add_argument_group("search")
    group.add_argument(
        "--trials", type=int, default=20, metavar="N", help="trials in all (20)"
    )
    group.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="a trial is the mean over K stratified folds (3)",
    )
    group.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="or over N seeds on one validation part",
    )
    group.add_argument(
        "--space", metavar="FILE", help="what is searched (TOML); else what is usual"
    )
    group.add_argument(
        "--strategy",
        default="random",
        help="random, grid, bayesian or hyperband (random)",
    )
    group.add_argument(
        "--objective",
        default="macro_f1",
        help=(
            "macro_f1, accuracy, micro_f1, log_loss, or average_precision for several "
            "labels (macro_f1)"
        ),
    )
    group.add_argument(
        "--no-prune",
        dest="prune",
        action="store_false",
        help="run also trials that cannot win to their end",
    )
    _add_work_options(group, workers)


def _add_work_options(group: Any, workers: int) -> None:
    group.add_argument(
        "--workers",
        type=int,
        default=workers,
        metavar="N",
        help=f"processes on this machine ({workers}: one for each core, at most 4)"
        if workers
        else "processes on this machine, beside those elsewhere (0)",
    )
    group.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="threads of each; scores depend on it, but not on the workers (1)",
    )
    group.add_argument(
        "--keep",
        type=int,
        default=3,
        metavar="N",
        help="classifiers of the N best trials stay on disk (3)",
    )
    group.add_argument(
        "--tensorboard", metavar="FOLDER", help="write trials for TensorBoard's HParams"
    )


def _add_budget_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("budgets")
    group.add_argument(
        "--time",
        type=amounts.seconds,
        metavar="TIME",
        help="time for trials, such as 90s, 15m or 8h; then the best so far is taken",
    )
    group.add_argument(
        "--trial-time",
        type=amounts.seconds,
        metavar="TIME",
        help="a trial that takes longer has failed",
    )
    group.add_argument(
        "--max-parameters",
        type=amounts.count,
        metavar="N",
        help="weights that a network may have, such as 2M",
    )
    group.add_argument(
        "--max-bytes",
        type=amounts.n_bytes,
        metavar="SIZE",
        help="size on disk, such as 5MB; of the folded form where there is one",
    )
    group.add_argument(
        "--max-ms",
        type=float,
        metavar="MS",
        help="milliseconds for a text; of the folded form where there is one",
    )


def _add_chief_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("workers elsewhere")
    group.add_argument(
        "--address",
        required=True,
        metavar="HOST:PORT",
        help="where workers find this search; nobody is asked for a password",
    )
    group.add_argument(
        "--lost-after",
        type=amounts.seconds,
        default=60.0,
        metavar="TIME",
        help="after so long a silent worker's trial goes to another (60s)",
    )
    group.add_argument(
        "--wait",
        type=amounts.seconds,
        default=3600.0,
        metavar="TIME",
        help="after so long without any worker the search ends (1h)",
    )


def run(args: argparse.Namespace) -> int:
    """Search, and say what to do with what was found."""
    settings = settings_from(args)
    if args.folds is not None and args.seeds is not None:
        raise SearchError(
            "A trial is repeated over folds or over seeds. Give --folds or --seeds."
        )
    load_tensorflow()
    from emoclf.training.progress import TrainingProgress
    from emoclf.tuning.report.live_progress import LiveProgress
    from emoclf.tuning.search import Budget, Listeners, default_folder, run_search

    plan = plan_from(args, settings)
    means = Budget(
        trials=args.trials,
        workers=args.workers,
        seconds=args.time,
        keep=args.keep,
        address=args.address,
        patience=args.lost_after,
        wait=args.wait,
    )
    _, split = parts_from(args, settings)
    listeners = Listeners()
    if not args.quiet:
        view = LiveProgress(args.trials, workers=args.workers)
        listeners = Listeners(
            view.begin,
            view.end,
            lambda epochs: [TrainingProgress(epochs, say=as_options)],
        )
    folder = args.output or default_folder(args.data)
    try:
        found = run_search(
            plan, split, folder, means, new=args.new, listeners=listeners
        )
    except KeyboardInterrupt:
        logging.getLogger("emoclf").warning(
            "The search is stopped; the same command goes on with it (%s).", folder
        )
        raise
    if args.tensorboard:
        from emoclf.tuning.report.tensorboard_hparams import write_hparams

        write_hparams(found.outcomes, plan.objective, Path(args.tensorboard))
    if args.json:
        print_json(tune_show.as_values(found.plan, found.outcomes, found))
        return 0
    tune_show.print_result(found)
    folder = shlex.quote(str(found.folder))
    print(f"The trials again, and pictures: emoclf tune show {folder} --plots P")
    return 0


def plan_from(args: argparse.Namespace, settings: RunSettings) -> SearchPlan:
    """Return what the options ask for."""
    from emoclf.tuning.limits import Limits
    from emoclf.tuning.plan import SearchPlan, kind_and_repeats
    from emoclf.tuning.results.objective import Objective
    from emoclf.tuning.space.space import Space

    kind, repeats = kind_and_repeats(args.folds, args.seeds)
    return SearchPlan(
        settings=settings,
        space=Space.load(settings.architecture, args.space),
        objective=Objective(args.objective),
        strategy=args.strategy,
        kind=kind,
        repeats=repeats,
        prune=args.prune,
        trial_seconds=args.trial_time,
        limits=Limits(args.max_parameters, args.max_bytes, args.max_ms),
        threads=args.threads,
    )
