"""Share work among threads inside kernels: each takes the next number, and none takes it twice."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def _next_turn(typing_context: Any, counter: Any) -> Any:
    """Return what ``counter[0]`` is, an int64, and add one to it, in one step for all threads."""
    del typing_context

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), generate


next_turn: Any = _next_turn
