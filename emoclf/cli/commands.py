"""The commands, in the order in which help lists them."""

from emoclf.cli import compare, demo, evaluate, export, predict, train, tune, vectors

COMMANDS = (demo, train, evaluate, predict, compare, export, vectors, tune)
