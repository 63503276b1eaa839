"""``python -m emoclf.tuning``: the same as ``emoclf tune``."""

from __future__ import annotations

import sys

from emoclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["tune", *sys.argv[1:]]))
