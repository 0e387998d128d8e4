"""How the commands that score print what they know: a row per file, and one on all of them."""

from typing import Any

from gmmseg.cli.console import show

SECONDS = {"speech", "speaker_time"}


def show_reports(reports: list[dict[str, Any]], columns: dict[str, str]) -> None:
    """Print a row per file; columns that nobody has are left out."""
    from rich import box
    from rich.table import Table

    there = {title: key for title, key in columns.items() if any(key in one for one in reports)}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("file")
    for title in there:
        table.add_column(title, justify="right", no_wrap=True)
    for report in reports:
        is_last_file = len(reports) > 1 and report is reports[-2]
        cells = [cell_of(report.get(key), key) for key in there.values()]
        table.add_row(report["file"], *cells, end_section=is_last_file)
    show(table)


def cell_of(value: float | None, key: str) -> str:
    """Return a number as the table has it: counts whole, seconds to 0.1, shares to 0.001."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if key in SECONDS else f"{value:.3f}"


def rounded(value: Any) -> Any:
    """Return a report whose numbers have no digits that rounding made."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, 9) if isinstance(value, float) else value
