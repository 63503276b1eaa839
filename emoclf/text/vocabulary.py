"""Tokens and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emoclf.errors import DataError, setting

# Padding has the id 0.
UNKNOWN = 1
FIRST_TOKEN_ID = 2


class Vocabulary:
    """Tokens and their ids; 0 is padding, 1 is the id of every other token.

    Parameters
    ----------
    tokens : sequence of str
        Tokens without padding and unknown; the first has id 2.

    Examples
    --------
    >>> vocabulary = Vocabulary(["good", "bad"])
    >>> vocabulary.ids(["bad", "ugly"]), len(vocabulary)
    ([3, 1], 4)
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = {
            token: number for number, token in enumerate(self.tokens, FIRST_TOKEN_ID)
        }
        if len(self._ids) != len(self.tokens):
            raise DataError("The vocabulary contains a token twice.")

    def __len__(self) -> int:
        return len(self.tokens) + FIRST_TOKEN_ID

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the id of each token."""
        get = self._ids.get
        return [get(token, UNKNOWN) for token in tokens]

    def token(self, number: int) -> str:
        """Return the token of an id; padding and unknown are ``""`` and ``"�"``."""
        return (
            self.tokens[number - FIRST_TOKEN_ID]
            if number >= FIRST_TOKEN_ID
            else ("", "�")[number]
        )


def build_vocabulary(
    counts: Mapping[str, int],
    *,
    min_count: int = 1,
    max_size: int | None = None,
    extra: Iterable[str] = (),
) -> Vocabulary:
    """Choose the tokens that get an id, the most frequent first.

    Parameters
    ----------
    counts : mapping of str to int
        Count of each token in the training set.
    min_count : int >= 1, default=1
        Rarer tokens are unknown.
    max_size : int, optional
        Largest number of tokens; equally frequent ones in the order of code points.
    extra : iterable of str
        Tokens to add after them, such as frequent words of pre-trained vectors.

    Raises
    ------
    DataError
        If no token is left.
    """
    frequent = [token for token, count in counts.items() if count >= min_count]
    frequent.sort(key=lambda token: (-counts[token], token))
    tokens = dict.fromkeys(frequent[:max_size])
    tokens.update(dict.fromkeys(extra))
    if not tokens:
        raise DataError(
            f"No token is left for the vocabulary: the training set has {len(counts)} "
            f"different tokens, none of them {min_count} times or more. Lower "
            f"{setting('min_count')}, or check the texts."
        )
    return Vocabulary(tuple(tokens))
