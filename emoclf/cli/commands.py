"""The commands, in the order in which help lists them."""

from emoclf.cli import (
    audit,
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

COMMANDS = (demo, audit, train, evaluate, predict, show, compare, export, vectors, tune)
