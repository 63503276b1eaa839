"""A linear-chain conditional random field (CRF) for Keras 3, on any backend.

This file needs Keras alone. Lafferty, McCallum and Pereira (2001), "Conditional Random
Fields"; Lample et al. (2016), "Neural Architectures for Named Entity Recognition".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

#: Score of a forbidden step: its probability is zero in float32.
FORBIDDEN = -1.0e9


@keras.saving.register_keras_serializable(package="emoclf")
class CRF(keras.layers.Layer):
    """Score sequences of tags by emissions, transitions, and first and last tag.

    The score of a sequence is ``start[y_1] + Σ emission_t[y_t] + Σ transition[y_t-1,
    y_t] + end[y_n]``, and its probability the softmax over all sequences.

    Messages are normalized at every position, so that a thousand tokens lose no
    digits. The gradient of the log-partition is computed from the marginals, which are
    its derivatives, instead of through the loop over the positions: no step of the
    loop is recorded, and XLA compiles it (``jit_compile=True``).

    Parameters
    ----------
    n_tags : int >= 1
    allowed : sequence of bool, shape (n_tags, n_tags), optional
        Whether the tag of the column may follow that of the row; default: all.
    allowed_start, allowed_end : sequence of bool, shape (n_tags,), optional
        Whether a sequence may begin, or end, with a tag; default: all.
    **kwargs
        Arguments of ``keras.layers.Layer``.

    Call arguments
    --------------
    emissions : float, shape (batch, length, n_tags)
    mask : bool, shape (batch, length), optional
        True where there is a token; padding may be anywhere.
    tags : int, shape (batch, length), optional
        Tags of the training set; any value where the mask is False.
    output : {"path", "marginals", "pairs"}, default="path"
        What is returned without tags.

    Returns
    -------
    log_likelihood : float32, shape (batch,)
        With ``tags``: the logarithm of their probability. Its negative mean is the
        training loss.
    path : int32, shape (batch, length)
        The most probable sequence of tags; 0 where the mask is False.
    marginals : float32, shape (batch, length, n_tags)
        The probability of each tag at each position; 0 where the mask is False.
    pairs : float32, shape (batch, length, n_tags, n_tags)
        The probability that a token has the tag of the column and the token before it
        that of the row; 0 for the first token.

    Examples
    --------
    A model for training and one for prediction share all of their layers::

        crf = CRF(3, **tag_constraints(["O", "B", "I"]))
        training = keras.Model([ids, tags], crf(emissions, mask=mask, tags=tags))
        training.compile("adam", loss=lambda _, log_likelihood: -log_likelihood)
        tagging = keras.Model(ids, crf(emissions, mask=mask))
    """

    def __init__(
        self,
        n_tags: int,
        *,
        allowed: Sequence[Sequence[bool]] | None = None,
        allowed_start: Sequence[bool] | None = None,
        allowed_end: Sequence[bool] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Scores are summed over a text: half precision would lose them.
        self.autocast = False
        self.supports_masking = True
        self.n_tags = n_tags
        self.allowed = _checked("allowed", allowed, (n_tags, n_tags))
        self.allowed_start = _checked("allowed_start", allowed_start, (n_tags,))
        self.allowed_end = _checked("allowed_end", allowed_end, (n_tags,))

    def build(self, emissions_shape: Any) -> None:
        """Create the scores of transitions, and of first and last tags."""
        if emissions_shape[-1] != self.n_tags:
            raise ValueError(
                f"emissions must have {self.n_tags} columns, one for each tag. Got the "
                f"shape {tuple(emissions_shape)} instead."
            )
        n_tags = self.n_tags

        def scores(name: str, shape: tuple[int, ...]) -> Any:
            return self.add_weight(
                name=name, shape=shape, initializer="zeros", dtype="float32"
            )

        self.transitions = scores("transitions", (n_tags, n_tags))
        self.start = scores("start", (n_tags,))
        self.end = scores("end", (n_tags,))
        self.built = True

    def call(
        self,
        emissions: Any,
        mask: Any = None,
        tags: Any = None,
        output: str = "path",
    ) -> Any:
        # One output each: Keras 3.15 refuses a layer with a different number of them
        # in two calls.
        if tags is not None:
            return self.log_likelihood(emissions, tags, mask)
        outputs = {
            "path": self.best_path,
            "marginals": self.marginals,
            "pairs": self.pairs,
        }
        return outputs[output](emissions, mask)

    def compute_output_spec(
        self,
        emissions: Any,
        mask: Any = None,
        tags: Any = None,
        output: str = "path",
    ) -> Any:
        """Return the shape and the type of the output."""
        if tags is not None:
            return keras.KerasTensor((emissions.shape[0],), "float32")
        if output == "path":
            return keras.KerasTensor(emissions.shape[:2], "int32")
        more = (self.n_tags,) if output == "pairs" else ()
        return keras.KerasTensor((*emissions.shape, *more), "float32")

    def compute_mask(self, *inputs: Any, **kwargs: Any) -> None:
        """Return None: the outputs are ends of a network."""
        return None

    def log_likelihood(self, emissions: Any, tags: Any, mask: Any = None) -> Any:
        """Return the log-probability of sequences of tags, shape (batch,)."""
        emissions, mask = _as_inputs(emissions, mask)
        score = self.sequence_score(emissions, tags, mask)
        return score - self.log_partition(emissions, mask)

    def sequence_score(self, emissions: Any, tags: Any, mask: Any = None) -> Any:
        """Return the score of sequences of tags, shape (batch,)."""
        emissions, mask = _as_inputs(emissions, mask)
        start, transitions, end = self.scores()
        first, last = _ends(mask)
        hot = ops.one_hot(tags, self.n_tags, dtype="float32")
        hot = hot * ops.cast(mask[..., None], "float32")
        steps = ops.sum(ops.matmul(_before(hot, mask), transitions) * hot, axis=-1)
        steps = steps * _weights(mask, first)
        return ops.sum(
            ops.sum(hot * emissions, axis=-1)
            + steps
            + ops.matmul(hot, start) * ops.cast(first, "float32")
            + ops.matmul(hot, end) * ops.cast(last, "float32"),
            axis=-1,
        )

    def log_partition(self, emissions: Any, mask: Any = None) -> Any:
        """Return the logarithm of the sum of exp(score) over all sequences, (batch,).

        It is 0 for a text without tokens.
        """
        emissions, mask = _as_inputs(emissions, mask)
        start, transitions, end = self.scores()
        first, last = _ends(mask)
        fixed = ops.stop_gradient(emissions)
        alpha, gamma, log_norm = self._messages(fixed, mask)
        marginals = _marginals(alpha, gamma, fixed, mask)
        pairs = ops.sum(self._pairs(alpha, gamma, mask), axis=1)
        at_first = ops.sum(marginals * ops.cast(first[..., None], "float32"), axis=1)
        at_last = ops.sum(marginals * ops.cast(last[..., None], "float32"), axis=1)
        # Linear in the scores, with the log-partition's derivatives as factors.
        tangent = (
            ops.sum(marginals * emissions, axis=(1, 2))
            + ops.sum(pairs * transitions, axis=(1, 2))
            + ops.matmul(at_first, start)
            + ops.matmul(at_last, end)
        )
        return log_norm + tangent - ops.stop_gradient(tangent)

    def marginals(self, emissions: Any, mask: Any = None) -> Any:
        """Return the probability of each tag, shape (batch, length, n_tags)."""
        emissions, mask = _as_inputs(emissions, mask)
        emissions = ops.stop_gradient(emissions)
        alpha, gamma, _ = self._messages(emissions, mask)
        return _marginals(alpha, gamma, emissions, mask)

    def pairs(self, emissions: Any, mask: Any = None) -> Any:
        """Return the probability of each pair of neighbouring tags.

        Shape (batch, length, n_tags, n_tags): the tag before, and that of the position.
        """
        emissions, mask = _as_inputs(emissions, mask)
        alpha, gamma, _ = self._messages(ops.stop_gradient(emissions), mask)
        return self._pairs(alpha, gamma, mask)

    def marginals_and_pairs(self, emissions: Any, mask: Any = None) -> tuple[Any, Any]:
        """Return both, from one pass over the positions."""
        emissions, mask = _as_inputs(emissions, mask)
        emissions = ops.stop_gradient(emissions)
        alpha, gamma, _ = self._messages(emissions, mask)
        return _marginals(alpha, gamma, emissions, mask), self._pairs(
            alpha, gamma, mask
        )

    def best_path(self, emissions: Any, mask: Any = None) -> Any:
        """Return the tags of the best sequence (Viterbi), int32 (batch, length)."""
        emissions, mask = _as_inputs(emissions, mask)
        start, transitions, end = map(ops.stop_gradient, self.scores())
        first, _last = _ends(mask)
        zeros = ops.zeros_like(emissions[:, 0])
        stay = ops.cast(ops.zeros_like(zeros), "int32") + ops.arange(
            self.n_tags, dtype="int32"
        )

        def forward(carry: Any, at: Any) -> Any:
            best, _ = carry
            emission, is_token, is_first = _unpack(at)
            steps = best[:, :, None] + transitions
            arrived = ops.where(is_first, start, ops.max(steps, axis=1))
            pointers = self.argmax(steps, axis=1)
            best = ops.where(is_token, emission + arrived, best)
            # The best score is 0, so that numbers stay small.
            best = best - ops.max(best, axis=-1, keepdims=True)
            carry = best, ops.where(is_token, pointers, stay)
            return carry, carry

        steps = ops.swapaxes(_pack(emissions, mask, first), 0, 1)
        (best, _), (_, pointers) = self.scan(forward, (zeros, stay), steps)
        tag = self.argmax(best + end, axis=-1)

        def backward(tag: Any, pointers: Any) -> Any:
            before = ops.take_along_axis(pointers, tag[:, None], axis=1)[:, 0]
            return before, tag

        _, path = self.scan(backward, tag, pointers, reverse=True)
        return ops.transpose(path) * ops.cast(mask, "int32")

    def scores(self) -> tuple[Any, Any, Any]:
        """Return start (n_tags,), transitions (n_tags, n_tags) and end in force."""
        return (
            _forbid(self.start, self.allowed_start),
            _forbid(self.transitions, self.allowed),
            _forbid(self.end, self.allowed_end),
        )

    def scan(self, step: Any, carry: Any, values: Any, *, reverse: bool = False) -> Any:
        """Return what ``keras.ops.scan`` does; a subclass may have a faster one."""
        return ops.scan(step, carry, values, reverse=reverse)

    def argmax(self, values: Any, axis: int) -> Any:
        """Return the index of the largest value, int32; a subclass may be faster."""
        return ops.cast(ops.argmax(values, axis=axis), "int32")

    def _messages(self, emissions: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Return forward and backward messages, both with emissions, and log Z.

        One loop computes both directions, each position normalized.
        """
        start, transitions, end = map(ops.stop_gradient, self.scores())
        first, last = _ends(mask)
        both_transitions = ops.stack([transitions, ops.transpose(transitions)])[:, None]
        borders = ops.stack([start, end])[:, None]

        def step(carry: Any, at: Any) -> Any:
            message, _ = carry
            emission, is_token, is_border = _unpack(at)
            arrived = ops.logsumexp(message[..., :, None] + both_transitions, axis=-2)
            new = emission + ops.where(is_border, borders, arrived)
            norm = ops.logsumexp(new, axis=-1, keepdims=True)
            message = ops.where(is_token, new - norm, message)
            carry = message, ops.where(is_token, norm, ops.zeros_like(norm))
            return carry, carry

        zeros = ops.stack([ops.zeros_like(emissions[:, 0])] * 2)
        forward = _pack(emissions, mask, first)
        backward = ops.flip(_pack(emissions, mask, last), axis=1)
        # (length, direction, batch, n_tags + 2)
        steps = ops.transpose(ops.stack([forward, backward]), (2, 0, 1, 3))
        (final, _), (messages, norms) = self.scan(step, (zeros, zeros[..., :1]), steps)
        alpha = ops.swapaxes(messages[:, 0], 0, 1)
        gamma = ops.swapaxes(ops.flip(messages[:, 1], axis=0), 0, 1)
        log_z = ops.sum(norms[:, 0, :, 0], axis=0) + ops.logsumexp(
            final[0] + end, axis=-1
        )
        # Without any token there is one sequence, of score 0.
        return alpha, gamma, ops.where(ops.any(mask, axis=1), log_z, 0.0)

    def _pairs(self, alpha: Any, gamma: Any, mask: Any) -> Any:
        first, _ = _ends(mask)
        # The messages of the position before, and 0 at the first.
        before = ops.pad(alpha[:, :-1], [[0, 0], [1, 0], [0, 0]])
        pairs = before[..., :, None] + self.scores()[1] + gamma[..., None, :]
        shape = ops.shape(pairs)
        flat = ops.reshape(pairs, (shape[0], shape[1], self.n_tags * self.n_tags))
        flat = ops.softmax(flat, axis=-1) * _weights(mask, first)[..., None]
        return ops.stop_gradient(ops.reshape(flat, shape))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build this layer again."""
        return {
            **super().get_config(),
            "n_tags": self.n_tags,
            "allowed": self.allowed,
            "allowed_start": self.allowed_start,
            "allowed_end": self.allowed_end,
        }


def tag_constraints(tags: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a :class:`CRF` that forbid malformed spans.

    Parameters
    ----------
    tags : sequence of str
        Tags in the order of their ids: "O", and "B-…", "I-…" (BIO), or "B-…", "I-…",
        "E-…", "S-…" (BIOES), where the rest is the kind of the span, or nothing.

    Examples
    --------
    >>> tag_constraints(["O", "B", "I"])["allowed"]
    [[True, True, False], [True, True, True], [True, True, True]]
    >>> tag_constraints(["O", "B", "I"])["allowed_start"]
    [True, True, False]
    """
    # Only BIOES says where a span ends: there B and I are open, and must be continued.
    has_ends = any(tag[:1] in "ES" for tag in tags)

    def follows(before: str, after: str) -> bool:
        is_open = before[:1] in "BI" and before != ""
        continues = after[:1] in "IE" and after != ""
        if continues:
            return is_open and before[1:] == after[1:]
        return not (has_ends and is_open)

    return {
        "allowed": [[follows(a, b) for b in tags] for a in tags],
        "allowed_start": [follows("", b) for b in tags],
        "allowed_end": [follows(a, "") for a in tags],
    }


def _checked(name: str, values: Any, shape: tuple[int, ...]) -> list[Any] | None:
    """Return nested lists of bool of this shape, or None."""
    if values is None:
        return None
    rows = [list(map(bool, row)) if len(shape) == 2 else bool(row) for row in values]
    widths = {len(row) for row in rows if isinstance(row, list)}
    if len(rows) != shape[0] or (len(shape) == 2 and widths != {shape[1]}):
        raise ValueError(f"{name} must have the shape {shape}. Got {values!r} instead.")
    return rows


def _forbid(scores: Any, allowed: list[Any] | None) -> Any:
    scores = ops.convert_to_tensor(scores)
    return scores if allowed is None else ops.where(allowed, scores, FORBIDDEN)


def _as_inputs(emissions: Any, mask: Any) -> tuple[Any, Any]:
    """Return emissions as float32 and a mask of bool; None: there is no padding."""
    if mask is None:
        mask = ops.ones_like(emissions[..., 0], dtype="bool")
    return ops.cast(emissions, "float32"), ops.cast(mask, "bool")


def _ends(mask: Any) -> tuple[Any, Any]:
    """Return where the first and the last token of each text are, bool."""
    count = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    total = count[:, -1:]
    first = ops.logical_and(mask, ops.equal(count, 1))
    return first, ops.logical_and(mask, ops.equal(count, total))


def _weights(mask: Any, first: Any) -> Any:
    """Return 1 where a token has a token before it, else 0."""
    return ops.cast(ops.logical_and(mask, ops.logical_not(first)), "float32")


def _before(hot: Any, mask: Any) -> Any:
    """Return at each token the row of the token before it, over padding in between."""
    length = ops.shape(mask)[1]
    positions = ops.arange(length, dtype="int32")
    # Positions of the tokens, in order; those of padding come after them.
    order = ops.sort(ops.where(mask, positions, positions + length), axis=1)
    number = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    previous_positions = ops.take_along_axis(order, ops.maximum(number - 2, 0), axis=1)
    previous_positions = ops.minimum(previous_positions, length - 1)
    return ops.take_along_axis(hot, previous_positions[..., None], axis=1)


def _pack(emissions: Any, *flags: Any) -> Any:
    """Return emissions and flags as one array.

    In Keras 3.15, a scan over several arrays of unknown length fails on TensorFlow.
    """
    columns = [ops.cast(flag[..., None], "float32") for flag in flags]
    return ops.concatenate([emissions, *columns], axis=-1)


def _unpack(values: Any) -> tuple[Any, Any, Any]:
    return values[..., :-2], values[..., -2:-1] > 0, values[..., -1:] > 0


def _marginals(alpha: Any, gamma: Any, emissions: Any, mask: Any) -> Any:
    probabilities = ops.softmax(alpha + gamma - emissions, axis=-1)
    return ops.stop_gradient(probabilities * ops.cast(mask[..., None], "float32"))
