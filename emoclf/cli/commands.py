"""The commands, in the order in which help lists them: modules of this folder."""

from importlib import import_module

NAMES = (
    "demo audit train distil evaluate predict explain drift show compare crossval "
    "export vectors teach tune aspects"
).split()
COMMANDS = tuple(import_module(f"emoclf.cli.{name}") for name in NAMES)
