"""The commands, in the order in which help lists them."""

from emoclf.cli import (
    audit,
    compare,
    demo,
    drift,
    evaluate,
    export,
    predict,
    show,
    train,
    tune,
    vectors,
)

COMMANDS = (
    *(demo, audit, train, evaluate, predict, drift, show, compare, export, vectors),
    tune,
)
