"""The commands, in the order in which help lists them."""

from emoclf.cli import demo, evaluate, export, predict, train, tune, vectors

COMMANDS = (demo, train, evaluate, predict, export, vectors, tune)
