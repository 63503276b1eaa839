"""``emoclf tune worker``: run trials of a search that is led elsewhere."""

from __future__ import annotations

import argparse
import os
import socket
from typing import Any

from emoclf.cli import amounts
from emoclf.cli.shared import new_command
from emoclf.runtime import load_tensorflow, with_threads

NAME = "worker"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        NAME,
        help="run trials of a search that a chief leads",
        example="emoclf tune worker --oracle 10.0.0.5:8000",
    )
    parser.add_argument(
        "--oracle", required=True, metavar="HOST:PORT", help="address of the chief"
    )
    parser.add_argument(
        "--folder",
        help="the search's folder, where it is mounted elsewhere than at the chief",
    )
    parser.add_argument(
        "--name", help="of this worker; no two of a search share one (host and pid)"
    )
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="as the chief was told (1)"
    )
    parser.add_argument(
        "--wait",
        type=amounts.seconds,
        default=600.0,
        metavar="TIME",
        help="time in which the chief may begin (10m)",
    )
    parser.add_argument("--quiet", action="store_true", help="only warnings and errors")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run trials until there are none."""
    # Before anything loads that looks for it.
    os.environ.update(with_threads(args.threads))
    load_tensorflow()
    from emoclf.tuning.chief.worker_process import run_worker

    name = args.name or f"{socket.gethostname()}-{os.getpid()}"
    run_worker(
        args.oracle, name, folder=args.folder, threads=args.threads, wait=args.wait
    )
    return 0
