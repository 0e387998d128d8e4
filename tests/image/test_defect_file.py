"""Claims about files of detectors of defects: nothing in a spoilt file is believed."""

import pytest

from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import ModelFileError
from gmmseg.image import ImageAnomalyDetector
from tests.model_files import spoilt_copies

pytestmark = pytest.mark.filterwarnings("ignore::gmmseg.errors.GmmsegWarning")
KEYS = ("options", "n_channels", "white", "coarseness", "edge", "layers")


@pytest.fixture
def images(rng):
    return [rng.random((24, 28)) for _ in range(4)]


@pytest.mark.parametrize("mode", ["tied", "aligned"])
def test_a_spoilt_array_is_found(images, tmp_path, mode):
    ImageAnomalyDetector(mode=mode).fit(images).save(tmp_path / "parts.gmm")
    believed = []
    for copy in spoilt_copies(tmp_path / "parts.gmm", tmp_path):
        try:
            ImageAnomalyDetector.load(copy)
        except ModelFileError:
            continue
        believed.append(copy.name)
    assert sorted(believed) == ["null_scores_cut.gmm"]  # a list, whatever its length


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"white": 0.0}, "white must be above 0"),
        ({"n_channels": 0}, "n_channels must be at least 1"),
        ({"n_channels": 3}, r"its layers must have \[25, 24\] features"),
        ({"coarseness": 0}, "coarseness must be at least 1"),
        ({"edge": [[0.0, 1.0], [1.0, 1.0]]}, "the edge must have 1 or 5 zones, got 2"),
        ({"layers": [["magic", 0.0, 1.0]]}, "unknown layer 'magic'"),
        ({"layers": [["tied", 0.0, 1.0]]}, r"its layers must have \[21, 18\] features"),
        ({"layers": [["tied", 0.0, 0.0], ["tied", 0.0, 1.0]]}, "the spread above 0"),
        ({"options": {"mode": "free"}}, "mode must be one of"),
        ({"options": {"magic": 1}}, "magic"),
    ],
)
def test_a_spoilt_header_is_found(images, tmp_path, change, message):
    path = tmp_path / "parts.gmm"
    ImageAnomalyDetector(mode="tied").fit(images).save(path)
    header, arrays = read_model(path, kind="image-anomaly-detector")
    keep = {key: header[key] for key in KEYS}
    write_model(path, kind="image-anomaly-detector", header=keep | change, arrays=arrays)
    with pytest.raises(ModelFileError, match=message):
        ImageAnomalyDetector.load(path)
