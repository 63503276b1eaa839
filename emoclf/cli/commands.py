"""The commands, in the order in which help lists them."""

from emoclf.cli import (
    compare,
    crossval,
    demo,
    evaluate,
    explain,
    export,
    predict,
    show,
    train,
    tune,
    vectors,
)

COMMANDS = (
    demo,
    train,
    evaluate,
    predict,
    explain,
    show,
    compare,
    crossval,
    export,
    vectors,
    tune,
)
