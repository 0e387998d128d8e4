"""Claims about learning the prior: the logistic regression is exact, models are believed little."""

import json
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.voice_features import N_CONTEXT
from gmmseg.audio.voice_model import SHIPPED, VoiceModel, shipped_model
from gmmseg.audio.voice_training import LabelledFrames, learn_voice_model, logistic
from gmmseg.errors import ModelFileError


def labelled(rng, n=600, n_features=4):
    X = rng.normal(size=(n, n_features))
    is_speech = X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=n) > 0.3
    return LabelledFrames(X.astype(np.float32), is_speech, rng.uniform(0.5, 2.0, n))


def test_logistic_regression_is_that_of_scikit_learn(rng):
    from sklearn.linear_model import LogisticRegression

    frames = labelled(rng)
    weights, intercept = logistic(frames.context.astype(np.float64), frames, penalty=5.0)
    other = LogisticRegression(C=1 / 5.0, tol=1e-8, max_iter=1000)
    other.fit(frames.context, frames.is_speech, sample_weight=frames.sample_weight)
    assert_allclose(weights, other.coef_[0], atol=2e-3)
    assert_allclose(intercept, other.intercept_[0], atol=2e-3)


def test_learned_log_odds_are_calibrated(rng):
    frames = labelled(rng, n=20_000, n_features=3)
    odds = learn_voice_model(frames).log_odds(frames.context)
    probability = 1 / (1 + np.exp(-odds))
    for low in (0.1, 0.3, 0.5, 0.7):
        inside = (probability >= low) & (probability < low + 0.2)
        told, true = probability[inside].mean(), frames.is_speech[inside].mean()
        assert abs(told - true) < 0.08


def test_scaled_features_give_the_same_log_odds(rng):
    frames = labelled(rng)
    scaled = LabelledFrames(frames.context * 50 + 3, frames.is_speech, frames.sample_weight)
    one, other = (learn_voice_model(f).log_odds(f.context) for f in (frames, scaled))
    assert_allclose(other, one, atol=0.05)


def test_the_shipped_model_is_a_few_kilobytes_and_prefers_nothing_odd():
    assert SHIPPED.stat().st_size < 100_000
    model = shipped_model()
    assert model.weights.shape == (N_CONTEXT,)
    far = model.log_odds(np.full((1, N_CONTEXT), 1e6, dtype=np.float32))
    assert np.isfinite(far).all()


def test_log_odds_of_no_frames_are_none():
    assert shipped_model().log_odds(np.zeros((0, N_CONTEXT), dtype=np.float32)).shape == (0,)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("recipe", 0, "its features are of recipe 0"),
        ("limits", [2.0, 1.0], "limits are in the wrong order"),
        ("scale", "much", "damaged"),
        ("shift", None, "damaged"),
    ],
)
def test_a_damaged_header_is_refused(tmp_path, key, value, message):
    path = tmp_path / "bad.gmm"
    with zipfile.ZipFile(SHIPPED) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "header.json":
                content = json.dumps({**json.loads(content), key: value})
            new.writestr(name, content)
    with pytest.raises(ModelFileError, match=message):
        VoiceModel.read(path)


def test_weights_of_other_features_are_refused(tmp_path):
    from dataclasses import replace

    replace(shipped_model(), weights=np.ones(3, dtype=np.float32)).write(tmp_path / "x.gmm", {})
    with pytest.raises(ModelFileError, match=rf"weights must have shape \({N_CONTEXT},\)"):
        VoiceModel.read(tmp_path / "x.gmm")
