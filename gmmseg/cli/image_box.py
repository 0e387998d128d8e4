"""The option ``--box``, which takes four whole numbers in a picture and six in a volume."""

import re
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand

BOX = "--box"
IN_A_PLANE, IN_A_VOLUME = "X0 Y0 X1 Y1", "X0 Y0 Z0 X1 Y1 Z1"
_NUMBER = re.compile(r"[+-]?[\d.]+")


@dataclass(frozen=True)
class Box:
    """A box: the first column, row (and plane), and those after the last."""

    corners: tuple[int, ...]

    @property
    def is_in_a_volume(self) -> bool:
        """Whether it has three axes."""
        return len(self.corners) == 6


class BoxCommand(TyperCommand):
    """A command whose option ``--box`` takes all numbers that follow it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, the numbers of a box being one."""
        return super().parse_args(ctx, with_box_in_one(args))


def with_box_in_one(args: list[str]) -> list[str]:
    """Return arguments in which ``--box 1 2 3 4`` is ``--box=1,2,3,4``."""
    joined: list[str] = []
    rest = list(args)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*joined, argument, *rest]
        if argument == BOX or argument.startswith(f"{BOX}="):
            numbers = [argument[len(BOX) + 1 :]] if argument != BOX else []
            while rest and _NUMBER.fullmatch(rest[0]):
                numbers.append(rest.pop(0))
            argument = f"{BOX}={','.join(numbers)}" if numbers else BOX
        joined.append(argument)
    return joined


def box_of(text: str) -> Box:
    """Return the box of four or six numbers with commas between."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (4, 6):
        raise typer.BadParameter(
            f"{BOX} takes {IN_A_PLANE}, or {IN_A_VOLUME} in a volume, in whole numbers; "
            f"got {text.replace(',', ' ')}"
        )
    return Box(numbers)
