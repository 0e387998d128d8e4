"""Words for people: where they go, and when nothing is said."""

import os
import pty
import subprocess
import sys
import threading

import pytest

from gmmseg.cli.console import about, say, track, warn
from gmmseg.errors import InputError

KERNEL = """
from numba import njit
from gmmseg.cli.console import announce_compilation

@njit(cache=True)
def double(x):
    return 2 * x

with announce_compilation():
    double(1)
    double(1.0)
"""

SLOW_LOOP = """
import sys, time
from gmmseg.cli.console import track

for _ in track([1, 2], "sleeping"):
    time.sleep(float(sys.argv[1]))
"""


def test_words_go_to_stderr_and_data_stays_clean(capsys):
    say("3 segments")
    warn("dark.png: all pixels are black")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "3 segments\ngmmseg: dark.png: all pixels are black\n"


def test_long_line_is_not_broken(capsys):
    say("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_tracked_items_come_unchanged_and_silent_without_a_terminal(capsys):
    assert list(track([3, 1, 2], "sorting")) == [3, 1, 2]
    assert capsys.readouterr().err == ""


def test_compilation_is_announced_once_and_the_cache_is_silent(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    code = f"import sys; sys.path.append({str(tmp_path)!r}); import kernel"

    def words():
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stderr

    assert words() == "compiling kernels for this machine (once; about 5 s)\n"
    assert words() == ""


def on_a_terminal(code, *arguments):
    """Run Python with a terminal as stderr and return what appeared there."""
    ours, theirs = pty.openpty()
    shown = []

    def listen():
        # Linux ends a terminal that nobody writes to any more with an error.
        try:
            while piece := os.read(ours, 1024):
                shown.append(piece)
        except OSError:
            pass

    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    listener = threading.Thread(target=listen)
    listener.start()
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, stderr=theirs, check=True, env=environment)
    os.close(theirs)
    listener.join()
    os.close(ours)
    return b"".join(shown).decode()


@pytest.mark.parametrize(("seconds", "is_shown"), [("0.7", True), ("0.01", False)])
def test_progress_appears_on_a_terminal_for_anything_over_a_second(seconds, is_shown):
    assert ("sleeping" in on_a_terminal(SLOW_LOOP, seconds)) == is_shown


def test_errors_about_a_file_name_it_once():
    for message in ("it is empty", "a.wav: it is empty"):
        with pytest.raises(InputError, match=r"^a\.wav: it is empty$"), about("a.wav"):
            raise InputError(message)
