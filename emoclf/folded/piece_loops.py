"""Compiled loops from bytes to token ids: hash the pieces, then look them up."""

from __future__ import annotations

import numpy as np

from emoclf.folded.jit import compiled
from emoclf.text.piece_table import HASH_MULTIPLIER, MAX_PIECE_LENGTH, SLOTS_LOG

#: Bits of a spread hash below those of its slot.
HASH_SHIFT = 64 - SLOTS_LOG


@compiled
def _hash_pieces(data, is_space, values, base, spans, hashes, ends):
    """Write each piece's span and hash, and the pieces counted up to a text's end."""
    one = np.uint64(1)
    count = text = 0
    begin = -1
    total = np.uint64(0)
    power = one
    for position in range(len(data)):
        byte = data[position]
        if not is_space[byte]:
            if begin < 0:
                begin = position
                total = np.uint64(0)
                power = one
            total += values[byte] * power
            power *= base
            continue
        if begin >= 0:
            spans[count, 0] = begin
            spans[count, 1] = position
            # Zero marks a free slot.
            hashes[count] = total if total else one
            count += 1
            begin = -1
        if byte == 0:
            ends[text] = count
            text += 1


@compiled
def write_pieces(
    data, is_space, values, base, keys, values_by_slot, starts, sizes, flat, ids,
    lengths, spans, hashes, long_spans,
):  # fmt: skip
    """Write the token ids of all texts.

    All hashes are computed first: the processor then waits for many table entries at a
    time. The spans and hashes of unknown pieces overwrite those of pieces that have
    been read; they are fewer, so that none is overwritten before it is read.

    Returns
    -------
    n_ids, n_unknown, n_long : int
        Numbers of ids, of unknown pieces, and of pieces that are too long to be
        remembered. For the latter, ids contain -1, -2, …
    """
    spread = np.uint64(HASH_MULTIPLIER)
    shift = np.uint64(HASH_SHIFT)
    last = np.uint64(len(keys) - 1)
    one = np.uint64(1)
    _hash_pieces(data, is_space, values, base, spans, hashes, lengths)
    n_ids = n_unknown = n_long = first_piece = 0
    for text in range(len(lengths)):
        first_id, stop = n_ids, lengths[text]
        for piece in range(first_piece, stop):
            begin = spans[piece, 0]
            end = spans[piece, 1]
            piece_hash = hashes[piece]
            if end - begin > MAX_PIECE_LENGTH:
                long_spans[n_long, 0] = begin
                long_spans[n_long, 1] = end
                n_long += 1
                ids[n_ids] = -n_long
                n_ids += 1
                continue
            slot = (piece_hash * spread) >> shift
            while keys[slot] != piece_hash and keys[slot] != np.uint64(0):
                slot = (slot + one) & last
            if keys[slot] == np.uint64(0):
                spans[n_unknown, 0] = begin
                spans[n_unknown, 1] = end
                hashes[n_unknown] = piece_hash
                n_unknown += 1
                continue
            value = values_by_slot[slot]
            if value >= 0:
                ids[n_ids] = value
                n_ids += 1
            else:
                entry = -1 - value
                for position in range(starts[entry], starts[entry] + sizes[entry]):
                    ids[n_ids] = flat[position]
                    n_ids += 1
        first_piece = stop
        lengths[text] = n_ids - first_id
    return n_ids, n_unknown, n_long
