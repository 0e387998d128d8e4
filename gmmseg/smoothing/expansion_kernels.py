"""A Numba kernel of the moves that let one label take cells over."""

from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def moves_of(weights, offsets, labels, label, halved, kept):
    """Fill the weights of a move, and add to ``kept`` what keeping its label costs a cell.

    Neighbours that bear different labels, neither of them ``label``, are coupled by half of their
    weight, and keeping costs each the other half.
    """
    planes, rows, cols = labels.shape
    for o in range(len(offsets)):
        for plane in range(planes):
            for row in range(rows):
                for col in range(cols):
                    weight = weights[o, plane, row, col]
                    halved[o, plane, row, col] = weight
                    if weight == 0:
                        continue
                    p, r, c = plane + offsets[o, 0], row + offsets[o, 1], col + offsets[o, 2]
                    mine, other = labels[plane, row, col], labels[p, r, c]
                    if mine != other and label not in (mine, other):
                        halved[o, plane, row, col] = weight / 2
                        kept[plane, row, col] += weight / 2
                        kept[p, r, c] += weight / 2
