"""The library's messages in the words of the command line."""

import pytest

from emoclf.cli.messages import as_options


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Drop it with skip_bad_rows.", "Drop it with --skip-bad-rows."),
        ("Set encoding='latin-1'.", "Set --encoding latin-1."),
        (
            "Count: text_column='1', label_column='my label'.",
            "Count: --text-column 1, --label-column 'my label'.",
        ),
        ("Give a file with vectors=….", "Give a file with --vectors …."),
        (
            "The setting 'kernel_sizes' of TextCNNSettings must be one or more.",
            "The option --kernel-sizes must be one or more.",
        ),
        ("The setting 'filters' of X must be 1.", "The option --filters must be 1."),
        # What only looks like a setting stays.
        ("The filters are dead.", "The filters are dead."),
        (
            "There is no file /tmp/text_column.csv",
            "There is no file /tmp/text_column.csv",
        ),
        ("The columns are 'text_column'.", "The columns are 'text_column'."),
        ("my_text_column is", "my_text_column is"),
    ],
)
def test_settings_become_options(message: str, shown: str) -> None:
    assert as_options(message) == shown


def test_tables_of_a_file_keep_their_names() -> None:
    said = "own.toml, [learning_rate]: learning_rate must be above 0. Got low = 0."
    assert as_options(said) == said
