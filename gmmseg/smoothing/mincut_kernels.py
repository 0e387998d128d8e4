"""Numba kernels of the largest flow through a grid: two search trees that grow until they meet.

Boykov, Kolmogorov (2004), "An experimental comparison of min-cut/max-flow algorithms for energy
minimization in vision", section 3: grow the trees of the source and of the sink, push flow along
the path where they meet, and give those that lost their way to the root a new parent.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

FREE, SOURCE, SINK = 0, 1, 2  # the tree that a cell belongs to
AT_ROOT, ORPHAN = 100, 101  # in the place of the direction to a parent
FAR = 2**30


class Flow(NamedTuple):
    """What can still flow through a padded grid, cell after cell, and the two search trees.

    Directions come in pairs: that of number ``d ^ 1`` leads back. The cells of the padding have
    no capacity, so that every cell has a neighbour in every direction.
    """

    steps: Any  # (n_directions,), from the index of a cell to that of its neighbour
    residual: Any  # (n_cells, n_directions), what can still flow from a cell to its neighbour
    terminal: Any  # (n_cells,), above 0 what can still come from the source, below 0 go to the sink
    tree: Any  # (n_cells,)
    parent: Any  # (n_cells,), direction of the way to the root
    distance: Any  # (n_cells,), steps to the root, as known at the time of the stamp
    stamp: Any  # (n_cells,), when the way to the root was last walked
    active: Any  # (n_cells,), a ring of cells that may grow
    is_active: Any  # (n_cells,)
    orphans: Any  # (n_cells,), a ring of cells that lost their parent
    ends: Any  # (4,), first and behind the last of the active cells and of the orphans


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def load(weights, scale, offsets, known, first, residual, terminal):
    """Fill the capacities between cells that are free; what known cells ask for becomes terminal.

    ``known`` is -1 at free cells and else the label, ``first`` the padding before each axis.
    """
    for o in range(weights.shape[0]):
        for plane in range(first[0], first[0] + weights.shape[1]):
            for row in range(first[1], first[1] + weights.shape[2]):
                for col in range(first[2], first[2] + weights.shape[3]):
                    weight = weights[o, plane - first[0], row - first[1], col - first[2]]
                    capacity = np.int32(np.rint(weight * scale))
                    if capacity == 0:
                        continue
                    p, r, c = plane + offsets[o, 0], row + offsets[o, 1], col + offsets[o, 2]
                    label, other = known[plane, row, col], known[p, r, c]
                    if label < 0 and other < 0:
                        residual[plane, row, col, 2 * o] = capacity
                        residual[p, r, c, 2 * o + 1] = capacity
                    elif label < 0:
                        terminal[plane, row, col] += capacity if other == 1 else -capacity
                    elif other < 0:
                        terminal[p, r, c] += capacity if label == 1 else -capacity


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def largest_flow(flow):
    """Push as much as can flow from the source to the sink; the tree of the source is what it has.

    What no more flow can reach from the source belongs to the sink.
    """
    plant(flow)
    time = 1
    while flow.ends[0] != flow.ends[1]:
        cell = flow.active[flow.ends[0] % flow.active.size]
        direction = grow(flow, cell) if flow.tree[cell] != FREE else -1
        if direction < 0:
            flow.ends[0] += 1
            flow.is_active[cell] = False
            continue
        time += 1
        if flow.tree[cell] == SOURCE:
            augment(flow, cell, direction)
        else:
            augment(flow, cell + flow.steps[direction], direction ^ 1)
        adopt(flow, time)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def plant(flow):
    """Begin with trees of roots alone: the cells that still have something from a terminal."""
    flow.ends[:] = 0
    for cell in range(flow.terminal.size):
        flow.tree[cell] = FREE
        flow.is_active[cell] = False
        flow.stamp[cell] = 0
        if flow.terminal[cell] != 0:
            flow.tree[cell] = SOURCE if flow.terminal[cell] > 0 else SINK
            flow.parent[cell] = AT_ROOT
            flow.distance[cell] = 1
            activate(flow, cell)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def activate(flow, cell):
    """Put a cell in the ring of those that may grow, once."""
    if not flow.is_active[cell]:
        flow.is_active[cell] = True
        flow.active[flow.ends[1] % flow.active.size] = cell
        flow.ends[1] += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def disown(flow, cell):
    """Put a cell in the ring of those that lost their parent."""
    flow.parent[cell] = ORPHAN
    flow.orphans[flow.ends[3] % flow.orphans.size] = cell
    flow.ends[3] += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def grow(flow, cell):
    """Let free neighbours join the tree; return the direction of one of the other tree, or -1."""
    tree = flow.tree[cell]
    for direction in range(flow.steps.size):
        other = cell + flow.steps[direction]
        if tree == SOURCE:
            capacity = flow.residual[cell, direction]
        else:
            capacity = flow.residual[other, direction ^ 1]
        if capacity == 0:
            continue
        if flow.tree[other] == FREE:
            activate(flow, other)
        elif flow.tree[other] != tree:
            return direction
        elif flow.stamp[other] > flow.stamp[cell] or flow.distance[other] <= flow.distance[cell]:
            continue
        flow.tree[other] = tree
        flow.parent[other] = direction ^ 1
        flow.stamp[other] = flow.stamp[cell]
        flow.distance[other] = flow.distance[cell] + 1
    return -1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def augment(flow, cell, direction):
    """Push what the path over an edge from the source's tree to the sink's can take."""
    other = cell + flow.steps[direction]
    amount = flow.residual[cell, direction]
    amount = min(amount, bottleneck(flow, cell), bottleneck(flow, other))
    flow.residual[cell, direction] -= amount
    flow.residual[other, direction ^ 1] += amount
    push(flow, cell, amount)
    push(flow, other, amount)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def bottleneck(flow, cell):
    """Return how much the way between a cell and its root can take."""
    amount = np.int32(FAR)
    is_source = flow.tree[cell] == SOURCE
    while flow.parent[cell] != AT_ROOT:
        direction = flow.parent[cell]
        parent = cell + flow.steps[direction]
        if is_source:
            amount = min(amount, flow.residual[parent, direction ^ 1])
        else:
            amount = min(amount, flow.residual[cell, direction])
        cell = parent
    return min(amount, abs(flow.terminal[cell]))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def push(flow, cell, amount):
    """Push flow between a cell and its root; who has no way left becomes an orphan."""
    is_source = flow.tree[cell] == SOURCE
    while flow.parent[cell] != AT_ROOT:
        direction = flow.parent[cell]
        parent = cell + flow.steps[direction]
        sign = np.int32(amount if is_source else -amount)
        flow.residual[cell, direction] += sign
        flow.residual[parent, direction ^ 1] -= sign
        left = flow.residual[parent, direction ^ 1] if is_source else flow.residual[cell, direction]
        if left == 0:
            disown(flow, cell)
        cell = parent
    flow.terminal[cell] += -amount if is_source else amount
    if flow.terminal[cell] == 0:
        disown(flow, cell)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def capacity_to_root(flow, cell, direction):
    """Return what can flow over the edge to a neighbour of the same tree, were it the parent."""
    if flow.tree[cell] == SOURCE:
        return flow.residual[cell + flow.steps[direction], direction ^ 1]
    return flow.residual[cell, direction]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def adopt(flow, time):
    """Give every orphan the parent in its tree that is nearest to a root, or set it free."""
    while flow.ends[2] != flow.ends[3]:
        cell = flow.orphans[flow.ends[2] % flow.orphans.size]
        flow.ends[2] += 1
        tree, nearest, best = flow.tree[cell], FAR, ORPHAN
        for direction in range(flow.steps.size):
            other = cell + flow.steps[direction]
            if flow.tree[other] != tree:
                continue
            if capacity_to_root(flow, cell, direction) > 0:
                distance = walk(flow, other, time)
                if distance < nearest:
                    nearest, best = distance, direction
        if nearest < FAR:
            flow.parent[cell] = best
            flow.stamp[cell] = time
            flow.distance[cell] = nearest + 1
        else:
            release(flow, cell)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def walk(flow, cell, time):
    """Return the number of steps from a cell to its root, or FAR where an orphan is in the way."""
    last, distance = cell, 0
    while flow.stamp[last] != time:
        if flow.parent[last] == ORPHAN:
            return FAR
        distance += 1
        if flow.parent[last] == AT_ROOT:
            flow.stamp[last] = time
            flow.distance[last] = 1
            break
        last += flow.steps[flow.parent[last]]
    else:
        distance += flow.distance[last]
    left = distance
    while flow.stamp[cell] != time:
        flow.stamp[cell] = time
        flow.distance[cell] = left
        left -= 1
        cell += flow.steps[flow.parent[cell]]
    return distance


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def release(flow, cell):
    """Set a cell free: its children are orphans, and its neighbours may grow to it again."""
    tree = flow.tree[cell]
    for direction in range(flow.steps.size):
        other = cell + flow.steps[direction]
        if flow.tree[other] != tree:
            continue
        if capacity_to_root(flow, cell, direction) > 0:
            activate(flow, other)
        if flow.parent[other] == direction ^ 1:
            disown(flow, other)
    flow.tree[cell] = FREE
