"""What the README shows is true: its code runs, CI runs its commands, none is left out."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

from gmmseg.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)\n```$", README, flags=re.MULTILINE | re.DOTALL)


def commands(group=None, name="gmmseg"):
    """Return every command that does something, as (its full name, the command)."""
    group = group or typer.main.get_command(app)
    found = []
    for child in group.commands.values():
        full_name = f"{name} {child.name}"
        is_group = hasattr(child, "commands")
        found += commands(child, full_name) if is_group else [(full_name, child)]
    return found


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_block_runs(number, tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    block = compile(blocks("python")[number], f"README.md, python block {number + 1}", "exec")
    exec(block, {"__name__": "__main__"})  # noqa: S102 (it is our own README)


def test_readme_has_python_to_run():
    assert blocks("python")


@pytest.mark.parametrize("number", [1, 2])
def test_ci_runs_the_two_commands_of_the_readme(number):
    shown = subprocess.check_output([ROOT / ".ci" / "run", "show", str(number)], text=True)
    assert shown == blocks("bash")[number - 1] + "\n"


def test_each_of_the_two_commands_is_one_line():
    assert [len(block.splitlines()) for block in blocks("bash")] == [1, 1]


def test_photograph_of_the_first_command_is_in_the_repository():
    words = shlex.split(blocks("bash")[0])
    photographs = [word for word in words if word.startswith("data/")]
    assert photographs
    assert all((ROOT / photograph).is_file() for photograph in photographs)


def test_every_run_of_rows_is_a_table_and_every_row_has_as_many_cells():
    # Without a second line of dashes, rows are shown as they are typed, pipes and all.
    text = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert tables
    for table in tables:
        rows = table.splitlines()
        assert len(rows) > 2, table
        assert re.fullmatch(r"\|(?: *:?-+:? *\|)+", rows[1]), table
        assert {row.count("|") for row in rows} == {rows[1].count("|")}, table


@pytest.mark.parametrize(("name", "command"), commands())
def test_command_has_help_with_an_example_and_a_line_in_the_readme(name, command):
    assert f"Example: {name} " in command.help
    assert f"{name} " in README
