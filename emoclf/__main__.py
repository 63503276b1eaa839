"""``python -m emoclf`` is the command line."""

import sys

from emoclf.cli import main

if __name__ == "__main__":
    sys.exit(main())
