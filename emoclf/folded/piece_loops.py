"""From bytes to token ids, compiled: pieces are hashed, and looked up then."""

from __future__ import annotations

import numpy as np

from emoclf.folded.jit import compiled
from emoclf.text.piece_table import LONGEST, SLOTS_LOG, SPREAD

SHIFT = 64 - SLOTS_LOG


@compiled()
def _hash_pieces(data, is_space, values, base, spans, hashes, ends):
    """Write where pieces begin and end, their hashes, and where each text's end."""
    one = np.uint64(1)
    count = text = 0
    begin = -1
    total = np.uint64(0)
    power = one
    for place in range(len(data)):
        byte = data[place]
        if not is_space[byte]:
            if begin < 0:
                begin = place
                total = np.uint64(0)
                power = one
            total += values[byte] * power
            power *= base
            continue
        if begin >= 0:
            spans[count, 0] = begin
            spans[count, 1] = place
            # Zero marks a free slot.
            hashes[count] = total if total else one
            count += 1
            begin = -1
        if byte == 0:
            ends[text] = count
            text += 1


@compiled()
def write_pieces(
    data, is_space, values, base, keys, known, starts, sizes, flat, ids, lengths,
    missing, hashes, long,
):  # fmt: skip
    """Write the ids of all texts, and return how many they are.

    Then how many pieces are unknown, and how many too long to be remembered: those
    stand among the ids as -1, -2, …

    All hashes come first, since looking them up then waits for memory many at a time.
    They and their places are where those of unknown pieces are returned: these are
    fewer, and so never written behind what is read.
    """
    spread = np.uint64(SPREAD)
    shift = np.uint64(SHIFT)
    last = np.uint64(len(keys) - 1)
    one = np.uint64(1)
    _hash_pieces(data, is_space, values, base, missing, hashes, lengths)
    count = unknown = n_long = read = 0
    for text in range(len(lengths)):
        before, stop = count, lengths[text]
        for piece in range(read, stop):
            begin = missing[piece, 0]
            end = missing[piece, 1]
            total = hashes[piece]
            if end - begin > LONGEST:
                long[n_long, 0] = begin
                long[n_long, 1] = end
                n_long += 1
                ids[count] = -n_long
                count += 1
                continue
            slot = (total * spread) >> shift
            while keys[slot] != total and keys[slot] != np.uint64(0):
                slot = (slot + one) & last
            if keys[slot] == np.uint64(0):
                missing[unknown, 0] = begin
                missing[unknown, 1] = end
                hashes[unknown] = total
                unknown += 1
                continue
            found = known[slot]
            if found >= 0:
                ids[count] = found
                count += 1
            else:
                entry = -1 - found
                for position in range(starts[entry], starts[entry] + sizes[entry]):
                    ids[count] = flat[position]
                    count += 1
        read = stop
        lengths[text] = count - before
    return count, unknown, n_long
