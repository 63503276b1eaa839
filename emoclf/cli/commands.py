"""The commands, in the order in which help lists them."""

from emoclf.cli import (
    compare,
    demo,
    evaluate,
    export,
    predict,
    show,
    train,
    tune,
    vectors,
)

COMMANDS = (demo, train, evaluate, predict, show, compare, export, vectors, tune)
