"""Whatever goes wrong on the command line: one line, the right exit code, no traceback."""

import os
import subprocess
import sys

import pytest

from gmmseg import __version__
from gmmseg.cli import main as cli
from gmmseg.errors import InputError, ModelFileError

MISSING_FILE = "gmmseg: nowhere.png: No such file or directory\n"


@pytest.fixture
def run(monkeypatch, capfd):
    """Run the command line, where the command itself is replaced by ``action``."""

    def run(action, *arguments):
        monkeypatch.setattr(cli, "app", action)
        monkeypatch.setattr(sys, "argv", ["gmmseg", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code, capfd.readouterr().err

    return run


def raising(error):
    def action(**_):
        raise error

    return action


def gmmseg(*arguments, **options):
    """Run the real command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gmmseg.cli.main", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **{"stdout": subprocess.PIPE, **options},
    )


@pytest.mark.parametrize("kind", [InputError, ModelFileError])
def test_error_of_ours_is_one_line_and_exit_1(run, kind):
    assert run(raising(kind("the image is empty"))) == (1, "gmmseg: the image is empty\n")


def test_error_of_two_lines_is_told_in_one(run):
    assert run(raising(InputError("no\npixels"))) == (1, "gmmseg: no pixels\n")


def test_brackets_in_a_file_name_are_no_markup(run):
    assert run(raising(InputError("a[red].png"))) == (1, "gmmseg: a[red].png\n")


def test_refusal_of_the_system_is_one_line_and_exit_1(run):
    error = FileNotFoundError(2, "No such file or directory", "nowhere.png")
    assert run(raising(error)) == (1, MISSING_FILE)


def test_want_of_memory_is_one_line_and_exit_1(run):
    told = "gmmseg: not enough memory: Unable to allocate 8 GiB\n"
    assert run(raising(MemoryError("Unable to allocate 8 GiB"))) == (1, told)


def test_bug_is_one_line_that_says_how_to_see_more(run):
    told = (
        "gmmseg: unexpected ZeroDivisionError: by zero "
        "(a bug in gmmseg; GMMSEG_DEBUG=1 shows where)\n"
    )
    assert run(raising(ZeroDivisionError("by zero"))) == (1, told)


def test_gmmseg_debug_shows_the_traceback(run, monkeypatch):
    monkeypatch.setenv("GMMSEG_DEBUG", "1")
    code, told = run(raising(InputError("the image is empty")))
    assert code == 1
    assert told.startswith("Traceback (most recent call last):\n")
    assert told.endswith("\ngmmseg: the image is empty\n")


def test_interruption_is_one_line_and_exit_130(run):
    assert run(raising(KeyboardInterrupt())) == (130, "gmmseg: interrupted\n")


def test_interruption_inside_a_command_is_one_line_and_exit_130(run):
    # typer catches it there, and stops with its own exit code.
    assert run(raising(SystemExit(130))) == (130, "gmmseg: interrupted\n")


def test_closed_pipe_is_met_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    process = gmmseg("--help", stdout=writer)
    os.close(writer)
    assert (process.returncode, process.stderr) == (1, "")


def test_unknown_command_is_misuse():
    process = gmmseg("imagine")
    assert process.returncode == 2
    assert "No such command 'imagine'" in process.stderr
    assert "Traceback" not in process.stderr


def test_nothing_asked_shows_the_help():
    process = gmmseg()
    assert process.returncode == 2
    assert "Example: gmmseg image segment" in process.stdout + process.stderr


def test_version_is_that_of_the_package():
    assert gmmseg("--version").stdout == f"gmmseg {__version__}\n"


def test_python_runs_the_package_as_the_command():
    process = subprocess.run(
        [sys.executable, "-m", "gmmseg", "--version"], capture_output=True, text=True, check=True
    )
    assert process.stdout == f"gmmseg {__version__}\n"


def test_warning_is_one_line_without_the_source():
    code = (
        "import warnings; from gmmseg.cli import main as cli; "
        "cli.app = lambda **_: warnings.warn('one component starved', UserWarning); cli.main()"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stderr == "gmmseg: warning: one component starved\n"
