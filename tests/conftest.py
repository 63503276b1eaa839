"""Signals of the test session."""

from __future__ import annotations

import signal

# A shell makes its background jobs ignore Ctrl-C, and their children inherit that. A
# Python handler is reset to the default in every child, so that tests can interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
