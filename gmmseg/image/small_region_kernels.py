"""Numba kernels that find the connected parts of a label image and merge the small ones.

All arrays are flat. The parts are a forest: ``parent[i]`` is a pixel further up, or, at the root
of a part, minus its area; masked-out pixels have parent 0 and are never asked for. ``ring[i]`` is
the next pixel of the same part, round and round, so that two parts are joined by exchanging two
entries. The label of a part is that of its root.
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def root_of(parent, pixel):
    """Return the root of a pixel's part, and halve the way there."""
    while parent[pixel] >= 0:
        above = parent[pixel]
        if parent[above] >= 0:
            parent[pixel] = parent[above]
        pixel = above
    return pixel


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def join(parent, ring, first, second):
    """Join the parts of two different roots under the larger one; return the root of both."""
    if parent[first] > parent[second]:  # areas are negative
        first, second = second, first
    parent[first] += parent[second]
    parent[second] = first
    after = ring[first]
    ring[first] = ring[second]
    ring[second] = after
    return first


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def connect_parts(labels, shape, offsets, parent, ring):
    """Fill ``parent`` and ``ring`` with the connected parts of equal label other than 0."""
    planes, rows, cols = shape
    pixel = 0
    for plane in range(planes):
        for row in range(rows):
            for col in range(cols):
                label = labels[pixel]
                parent[pixel] = -1 if label != 0 else 0
                ring[pixel] = pixel
                for o in range(offsets.shape[0] if label != 0 else 0):
                    p, r, c = plane - offsets[o, 0], row - offsets[o, 1], col - offsets[o, 2]
                    if p < 0 or r < 0 or c < 0 or r >= rows or c >= cols:
                        continue
                    other = (p * rows + r) * cols + c
                    if labels[other] == label:
                        first, second = root_of(parent, other), root_of(parent, pixel)
                        if first != second:
                            join(parent, ring, first, second)
                pixel += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def small_roots(labels, parent, min_area):
    """Return the roots of all parts of fewer than ``min_area`` pixels."""
    count = 0
    for pixel in range(labels.shape[0]):
        count += labels[pixel] != 0 and -min_area < parent[pixel] < 0
    roots = np.empty(count, parent.dtype)
    count = 0
    for pixel in range(labels.shape[0]):
        if labels[pixel] != 0 and -min_area < parent[pixel] < 0:
            roots[count] = pixel
            count += 1
    return roots


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def roots_around(labels, shape, offsets, parent, ring, root, out):
    """Fill ``out`` with the root beyond every border of a part, border by border; return a count.

    ``offsets`` holds half of the neighbourhood.
    """
    planes, rows, cols = shape
    count, pixel = 0, root
    while True:
        line = pixel // cols
        plane, row, col = line // rows, line % rows, pixel % cols
        for o in range(2 * offsets.shape[0]):
            sign, step = 1 - 2 * (o % 2), offsets[o // 2]
            p, r, c = plane + sign * step[0], row + sign * step[1], col + sign * step[2]
            if p < 0 or r < 0 or c < 0 or p >= planes or r >= rows or c >= cols:
                continue
            other = (p * rows + r) * cols + c
            if labels[other] != 0:
                beyond = root_of(parent, other)
                if beyond != root:
                    out[count] = beyond
                    count += 1
        pixel = ring[pixel]
        if pixel == root:
            return count


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def sort_short(values):
    """Sort a few whole numbers in place; NumPy's way pays only for more."""
    if values.shape[0] > 40:
        values.sort()
        return
    for i in range(1, values.shape[0]):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def best_neighbour(labels, parent, beyond, out):
    """Return the root with the longest border, then the largest area, then the smallest label.

    ``beyond`` holds one root per border; it is sorted here, and ``out`` filled with its different
    roots, whose number is returned too. The best of none is -1.
    """
    sort_short(beyond)
    best, best_length, start, count = -1, 0, 0, 0
    for i in range(beyond.shape[0]):
        if i + 1 < beyond.shape[0] and beyond[i + 1] == beyond[i]:
            continue
        root, length = beyond[i], i + 1 - start
        start = i + 1
        out[count] = root
        count += 1
        is_better = best < 0 or length > best_length
        if not is_better and length == best_length:
            is_better = parent[root] < parent[best] or (
                parent[root] == parent[best] and labels[root] < labels[best]
            )
        if is_better:
            best, best_length = root, length
    return best, count


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def merge_group(labels, shape, offsets, parent, ring, roots):
    """Merge parts of one area and one label, which never touch, as if all at the same time.

    ``roots`` become the roots of what they are merged into, or -1 if they have no neighbour.
    """
    most = 2 * offsets.shape[0] * -parent[roots[0]]
    beyond = np.empty(most, parent.dtype)
    around = np.empty(most * roots.shape[0], parent.dtype)
    ends = np.empty(roots.shape[0] + 1, np.int64)
    wanted = np.zeros(roots.shape[0], labels.dtype)
    ends[0] = 0
    for i in range(roots.shape[0]):
        n_borders = roots_around(labels, shape, offsets, parent, ring, roots[i], beyond)
        best, count = best_neighbour(labels, parent, beyond[:n_borders], around[ends[i] :])
        ends[i + 1] = ends[i] + count
        if count > 0:
            wanted[i] = labels[best]
    for i in range(roots.shape[0]):
        root = roots[i] if wanted[i] != 0 else -1
        for j in range(ends[i], ends[i + 1]):
            other = root_of(parent, around[j])
            if other != root and labels[other] == wanted[i]:
                # The label of the part is that of the neighbour, whichever of the two is larger.
                root = join(parent, ring, other, root)
                labels[root] = wanted[i]
        roots[i] = root


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def merge_parts(labels, shape, offsets, parent, ring, min_area):
    """Merge all parts of fewer than ``min_area`` pixels, from the smallest area and label up.

    The parts wait in one chain per area. What a merger makes is larger than any part before it,
    so its turn is still to come.
    """
    small = small_roots(labels, parent, min_area)
    waiting = np.empty(2 * small.shape[0], parent.dtype)
    link = np.empty(2 * small.shape[0], parent.dtype)
    chain = np.full(min_area, -1, parent.dtype)
    n_waiting = 0
    for root in small:
        waiting[n_waiting], link[n_waiting] = root, chain[-parent[root]]
        chain[-parent[root]] = n_waiting
        n_waiting += 1
    for area in range(1, min_area):
        roots = roots_of_chain(parent, waiting, link, chain[area], area)
        roots = roots[np.argsort(labels[roots], kind="mergesort")]
        start = 0
        while start < roots.shape[0]:
            end = start + 1
            while end < roots.shape[0] and labels[roots[end]] == labels[roots[start]]:
                end += 1
            group = still_of_area(parent, roots[start:end], area)
            start = end
            if group.shape[0] == 0:
                continue
            merge_group(labels, shape, offsets, parent, ring, group)
            for root in np.unique(group):
                if root >= 0 and -min_area < parent[root] < 0:
                    waiting[n_waiting], link[n_waiting] = root, chain[-parent[root]]
                    chain[-parent[root]] = n_waiting
                    n_waiting += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def roots_of_chain(parent, waiting, link, first, area):
    """Return the roots in one chain that are roots of parts of this area still."""
    count, entry = 0, first
    while entry >= 0:
        count += 1
        entry = link[entry]
    roots = np.empty(count, waiting.dtype)
    entry = first
    for i in range(count):
        roots[i] = waiting[entry]
        entry = link[entry]
    return still_of_area(parent, roots, area)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def still_of_area(parent, roots, area):
    """Return those of some former roots that are roots of parts of this area."""
    kept = np.empty_like(roots)
    count = 0
    for root in roots:
        if parent[root] == -area:
            kept[count] = root
            count += 1
    return kept[:count].copy()


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def spread_labels(labels, parent):
    """Give every pixel the label of the root of its part."""
    for pixel in range(labels.shape[0]):
        if labels[pixel] != 0:
            labels[pixel] = labels[root_of(parent, pixel)]
