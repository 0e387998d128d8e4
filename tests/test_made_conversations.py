"""The conversations that the prior of diarization is learned from, made of tones."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

SCRIPT = Path(__file__).parents[1] / "training" / "made_conversations.py"
SR = 8000


@pytest.fixture(scope="module")
def made():
    spec = importlib.util.spec_from_file_location("made_conversations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def voices():
    time = np.arange(3 * SR) / SR
    return [np.sin(2 * np.pi * pitch * time).astype(np.float32) for pitch in (110, 220, 330, 440)]


@pytest.mark.parametrize("kind", ["even_talk", "any_talk"])
def test_everyone_has_a_turn_inside_the_recording(made, rng, kind):
    talk = getattr(made, kind)(rng, 3)
    y, turns = made.make_conversation(rng, voices(), talk, seconds=60.0, sr=SR)
    assert y.shape == (60 * SR,)
    assert np.isfinite(y).all()
    assert {turn.label for turn in turns} == {"0", "1", "2"}
    assert max(turn.end for turn in turns) <= 60.0


def test_the_same_seed_gives_the_same_conversation(made):
    one, same = (
        made.make_conversation(
            np.random.default_rng(5), voices(), made.Talk((0.5, 0.5), 2.0, 0.1, 1.0),
            seconds=10.0, sr=SR,
        )
        for _ in range(2)
    )  # fmt: skip
    assert_array_equal(one[0], same[0])
    assert one[1] == same[1]


def test_a_voice_has_all_speeds(made):
    lengths = [len(y) for y in made.voices_at_speeds([np.ones(1000, dtype=np.float32)])]
    assert lengths == [1000, 1137, 893]
