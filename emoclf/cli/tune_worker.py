"""``emoclf tune worker``: run trials of a search on another machine."""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path
from typing import Any

from emoclf.cli import amounts
from emoclf.cli.shared import add_option, new_command
from emoclf.errors import SearchError
from emoclf.runtime import TOKEN_VARIABLE, load_tensorflow, with_threads

NAME = "worker"


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        NAME,
        help="run trials of a search that 'emoclf tune chief' runs",
        example="emoclf tune worker --oracle 10.0.0.5:8000",
        has_result=False,
    )
    add_option(parser, "--oracle HOST:PORT", "address of the chief", required=True)
    add_option(
        parser,
        "--folder FOLDER",
        "folder of the search, if its path differs from the chief's",
    )
    add_option(
        parser,
        "--name NAME",
        "name of this worker, unique in the search (default: host and process id)",
    )
    add_option(
        parser, "--threads N", "number of threads, the same as the chief's", default=1
    )
    add_option(
        parser,
        "--wait TIME",
        "time to wait for the chief to start",
        type=amounts.seconds,
        default="10m",
    )
    add_token_option(parser)
    add_option(parser, "--quiet", "print only warnings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run trials until the search ends."""
    # TensorFlow reads these variables when it is loaded.
    os.environ.update(with_threads(args.threads))
    load_tensorflow()
    from emoclf.tuning.chief.worker_process import run_worker

    name = args.name or f"{socket.gethostname()}-{os.getpid()}"
    run_worker(
        args.oracle,
        name,
        folder=args.folder,
        threads=args.threads,
        wait=args.wait,
        token=read_token(args.token_file),
    )
    return 0


def add_token_option(parser: Any) -> None:
    """Add the option that names the file of the secret."""
    add_option(
        parser,
        "--token-file FILE",
        "file with a secret that the chief and its workers share (default: the "
        f"environment variable {TOKEN_VARIABLE}); connections are not encrypted",
    )


def read_token(path: str | None) -> str:
    """Return the secret from a file or the environment; "" if there is none.

    Raises
    ------
    SearchError
        If the file cannot be read, or contains no secret of printable ASCII.
    """
    from emoclf.tuning.limits import check_token

    if path is None:
        token, source = os.environ.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE
        if not token:
            return ""
    else:
        source = path
        try:
            token = Path(path).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise SearchError(f"--token-file {path} cannot be read: {error}.") from None
    check_token(token, source)
    return token
