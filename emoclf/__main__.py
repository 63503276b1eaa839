"""Run the command line: ``python -m emoclf``."""

import sys

from emoclf.cli import main

if __name__ == "__main__":
    sys.exit(main())
