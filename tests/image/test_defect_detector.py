"""Claims about the detector of defects: what it finds, what does not matter, bad input, files."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import threads
from gmmseg.errors import GmmsegWarning, InputError, ModelFileError, NotFittedError
from gmmseg.image import ImageAnomalyDetector, read_image
from gmmseg.image.defect_model import score_of
from gmmseg.image.defect_sample import PlaceSample

TILES = Path(__file__).parents[2] / "data" / "tiles"
NORMAL = sorted(TILES.glob("normal_*.jpg"))
DEFECTS = ["pull_thread", "stain", "hole"]
FEW = pytest.mark.filterwarnings("ignore::gmmseg.errors.GmmsegWarning")


@pytest.fixture(scope="module")
def cloth():
    return ImageAnomalyDetector().fit(NORMAL)


def part(rng, *, broken=False):
    """Return a made part that always lies alike: a bright square and a dark disc."""
    rows, cols = np.mgrid[:64, :64]
    image = np.full((64, 64), 0.4)
    image[12:30, 10:50] = 0.8
    if not broken:
        image[np.hypot(rows - 46, cols - 20) < 8] = 0.1
    return image + 0.02 * rng.normal(size=image.shape)


@pytest.mark.parametrize("defect", DEFECTS)
def test_defects_of_cloth_are_found_where_they_are(cloth, defect):
    found = cloth.inspect(read_image(TILES / f"{defect}.jpg")[0])
    mask = read_image(TILES / f"{defect}_mask.png")[0] > 0
    assert found.is_anomalous
    assert found.map.shape == mask.shape
    assert found.map[mask].mean() > np.quantile(found.map[~mask], 0.99)
    assert mask[np.unravel_index(found.map.argmax(), mask.shape)]


def test_regions_say_where_and_why(cloth):
    image, mask = read_image(TILES / "stain.jpg")[0], read_image(TILES / "stain_mask.png")[0] > 0
    region = cloth.explain(image)[0]
    rows, cols = np.nonzero(mask)
    assert region.rows[0] <= rows.mean() < region.rows[1]
    assert region.cols[0] <= cols.mean() < region.cols[1]
    assert next(iter(region.features)).startswith("mean")
    assert 0.0 < sum(region.features.values()) <= 1.0


def test_many_images_are_scored_as_each_is_inspected(cloth):
    paths = [TILES / "hole.jpg", *NORMAL[:2]]
    found = [cloth.inspect(read_image(path)[0]) for path in paths]
    assert_array_equal(cloth.score_samples(paths), [one.score for one in found])
    assert_array_equal(cloth.p_values(paths), [one.p_value for one in found])
    assert_array_equal(cloth.predict(paths), [one.is_anomalous for one in found])


def test_images_to_score_may_come_from_an_iterator_or_a_function(cloth):
    images = [read_image(path)[0] for path in NORMAL[:2]]
    expected = cloth.score_samples(images)
    assert_array_equal(cloth.score_samples(iter(images)), expected)
    assert_array_equal(cloth.score_samples(lambda: iter(images)), expected)


def test_an_image_that_cannot_be_scored_is_named(cloth, rng):
    words = "^image 1: image must have 1 channel as .*, or red, green and blue that .* differ$"
    with pytest.raises(InputError, match=words):
        cloth.score_samples([NORMAL[0], rng.random((20, 20, 3))])
    with pytest.raises(InputError, match=r"^there must be at least one image, got none$"):
        cloth.predict([])


def test_grey_is_the_same_as_equal_red_green_and_blue(cloth, rng):
    grey = read_image(NORMAL[0])[0]
    equal = np.repeat(grey[..., np.newaxis], 3, axis=2)
    assert_array_equal(cloth.score_samples([equal]), cloth.score_samples([grey]))
    coloured = ImageAnomalyDetector().fit([rng.random((24, 30, 3)) for _ in range(20)])
    new = rng.random((24, 30))
    found = coloured.inspect(new)
    assert_array_equal(found.map, coloured.inspect(np.repeat(new[..., np.newaxis], 3, axis=2)).map)
    assert found.is_anomalous


def test_normal_cloth_is_left_in_peace(cloth):
    assert cloth.mode_ == "tied"
    assert sum(cloth.inspect(read_image(path)[0]).is_anomalous for path in NORMAL) <= 2


def test_exposure_and_dtype_do_not_matter(cloth):
    image = read_image(TILES / "hole.jpg")[0]
    expected = cloth.inspect(image)
    for other in (image.astype(np.uint16) * 257, image / 255.0, image / 500.0):
        found = cloth.inspect(other)
        assert_allclose(found.map, expected.map, atol=0.35)
        assert found.is_anomalous


def test_textures_may_have_any_size(cloth):
    image = read_image(TILES / "hole.jpg")[0]
    assert cloth.inspect(image[:100, 7:]).map.shape == (100, 121)


@FEW
def test_parts_that_lie_alike_are_told_from_textures(rng):
    normal = [part(rng) for _ in range(12)]
    detector = ImageAnomalyDetector().fit(normal)
    assert detector.mode_ == "aligned"
    found = detector.inspect(part(rng, broken=True))
    row, col = np.unravel_index(found.map.argmax(), found.map.shape)
    assert np.hypot(row - 46, col - 20) < 12
    assert found.score > detector.null_.scores.max() > detector.inspect(part(rng)).score - 3


@FEW
def test_aligned_images_must_have_one_size(rng):
    images = [rng.random((20, 20)), rng.random((20, 24))]
    with pytest.raises(InputError, match='mode="aligned" needs images of one size'):
        ImageAnomalyDetector(mode="aligned").fit(images)
    detector = ImageAnomalyDetector(mode="aligned").fit(images[:1] * 3)
    with pytest.raises(InputError, match=r"image has 5 x 6 places, .*; resize it"):
        detector.inspect(images[1])


@FEW
def test_feature_maps_of_ones_own_take_the_place_of_ours(rng):
    normal = [rng.normal(size=(12, 15, 6)).astype(np.float32) for _ in range(8)]
    detector = ImageAnomalyDetector(features="given", smoothing=0.0).fit(normal)
    strange = rng.normal(size=(12, 15, 6))
    strange[4, 9, 2] = 9.0
    found = detector.inspect(strange)
    assert np.unravel_index(found.map.argmax(), found.map.shape) == (4, 9)
    detector.false_alarm = 0.3
    assert next(iter(detector.explain(strange)[0].features)) == "feature 3"


@FEW
@pytest.mark.parametrize("n_images", [1, 2, 3])
@pytest.mark.parametrize("kind", ["noise", "black", "identical", "tiny", "colour"])
def test_few_and_hostile_images_give_finite_answers(rng, n_images, kind):
    shape = {"tiny": (2, 3), "colour": (24, 30, 3)}.get(kind, (24, 30))
    images = [rng.random(shape) for _ in range(n_images)]
    if kind == "black":
        images = [np.zeros(shape, dtype=np.uint8)] * n_images
    if kind == "identical":
        images = images[:1] * n_images
    found = ImageAnomalyDetector().fit(images).inspect(rng.random(shape))
    assert np.isfinite(found.map).all()
    assert 0.0 < found.p_value <= 1.0


def test_few_images_are_said_to_be_few(rng):
    with pytest.warns(GmmsegWarning, match="3 normal images are too few .* 19 would do"):
        ImageAnomalyDetector().fit([rng.random((16, 16)) for _ in range(3)])


def test_false_alarms_are_as_many_as_wanted():
    alarms = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        detector = ImageAnomalyDetector(mode="tied").fit([rng.random((32, 32)) for _ in range(40)])
        alarms += [detector.inspect(rng.random((32, 32))).is_anomalous for _ in range(60)]
    assert 0.01 < np.mean(alarms) < 0.10


def test_adapting_makes_a_new_cloth_normal(cloth, rng):
    def darned():
        image = read_image(NORMAL[int(rng.integers(len(NORMAL)))])[0].astype(float)
        row, col = rng.integers(20, 90, size=2)
        image[row : row + 10, col : col + 30] *= 0.6
        return image.clip(0, 255).astype(np.uint8)

    new = [darned() for _ in range(16)]
    adapted = cloth.adapt(new[:12])
    before = [cloth.inspect(image).p_value for image in new[12:]]
    after = [adapted.inspect(image).p_value for image in new[12:]]
    assert np.mean(after) > 4 * np.mean(before)
    assert adapted.inspect(read_image(TILES / "hole.jpg")[0]).is_anomalous
    assert len(adapted.null_.scores) == len(cloth.null_.scores) + 12


@FEW
def test_adapting_aligned_parts_adds_their_sums(rng):
    normal = [part(rng) for _ in range(10)]
    detector = ImageAnomalyDetector(mode="aligned").fit(normal[:6]).adapt(normal[6:])
    whole = ImageAnomalyDetector(mode="aligned").fit(normal)
    new = part(rng)
    scaled = [model.model_.layers[0].distances(model.model_.grids(model.model_.features(new))[0])
              for model in (detector, whole)]  # fmt: skip
    assert_allclose(scaled[0], scaled[1], rtol=0.05)


@FEW
@pytest.mark.parametrize("weight", [2.0, 3.0])
@pytest.mark.parametrize("mode", ["tied", "aligned"])
def test_places_of_a_new_image_of_some_weight_count_as_so_many(rng, mode, weight):
    detector = ImageAnomalyDetector(mode=mode).fit([rng.random((24, 28)) for _ in range(6)])
    adapted = detector.adapt([rng.random((24, 28))], weight=weight)
    before, after = detector.model_.layers[0], adapted.model_.layers[0]
    if mode == "tied":
        assert after.count - before.count == weight * 6 * 7
    else:
        assert after.sums.n_images - before.sums.n_images == weight


@FEW
@pytest.mark.parametrize("mode", ["tied", "aligned"])
def test_a_saved_detector_is_equal_to_the_last_bit(rng, tmp_path, mode):
    images = [rng.random((24, 28, 3)) for _ in range(5)]
    detector = ImageAnomalyDetector(mode=mode, false_alarm=0.2).fit(images)
    detector.save(tmp_path / "parts.gmm")
    loaded = ImageAnomalyDetector.load(tmp_path / "parts.gmm")
    before, after = detector.inspect(images[0]), loaded.inspect(images[0])
    assert_array_equal(after.map, before.map)
    assert (after.score, after.p_value) == (before.score, before.p_value)
    assert loaded.threshold_ == detector.threshold_


def test_a_model_of_another_kind_is_refused(tmp_path):
    from gmmseg import GaussianMixture

    GaussianMixture.from_parameters([1.0], [[0.0]], [[[1.0]]]).save(tmp_path / "one.gmm")
    with pytest.raises(ModelFileError, match="holds a model of kind 'gaussian-mixture'"):
        ImageAnomalyDetector.load(tmp_path / "one.gmm")


@FEW
@pytest.mark.parametrize("mode", ["tied", "aligned"])
def test_the_same_seed_gives_the_same_model_for_any_number_of_threads(rng, mode):
    # Large enough that places are shared out to several threads.
    images = [rng.random((160, 160)) for _ in range(3)]
    images[2][40:80, 40:80] *= 0.2
    found = []
    for n_jobs in (1, 2):
        detector = ImageAnomalyDetector(mode=mode, n_jobs=n_jobs, false_alarm=0.5).fit(images[:2])
        adapted = detector.adapt(images[:1])
        found.append((adapted.null_.scores, adapted.inspect(images[2]).map))
        assert adapted.explain(images[2])
    for one, two in zip(*found, strict=True):
        assert_array_equal(one, two)


@FEW
def test_no_step_takes_more_threads_than_it_is_given(rng, monkeypatch):
    wanted = set()
    monkeypatch.setattr(threads, "thread_count", lambda n_jobs: wanted.add(n_jobs) or 1)
    # Of one size and enough of them, so that both modes are tried.
    images = [rng.random((24, 24)) for _ in range(12)]
    detector = ImageAnomalyDetector(n_jobs=3).fit(images)
    adapted = detector.adapt(images[:2])
    adapted.score_samples(images[:1])
    adapted.inspect(images[0])
    images[0][8:16, 8:16] = 0.0
    assert adapted.explain(images[0])
    assert {3} <= wanted <= {1, 3}  # one where the others would come too late


@FEW
def test_images_may_come_from_a_function_again_and_again(rng):
    images = [rng.random((20, 20)) for _ in range(6)]
    listed = ImageAnomalyDetector().fit(images)
    streamed = ImageAnomalyDetector().fit(lambda: iter(images))
    assert_array_equal(listed.null_.scores, streamed.null_.scores)


def test_an_iterator_that_ends_is_refused(rng):
    with pytest.raises(InputError, match=r"images must be a list .* they are read more than once"):
        ImageAnomalyDetector().fit(iter([rng.random((8, 8))]))


def test_no_image_is_refused():
    with pytest.raises(InputError, match="at least one normal image, got none"):
        ImageAnomalyDetector().fit([])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "own"}, "features must be one of"),
        ({"mode": "free"}, "mode must be one of"),
        ({"local_brightness": 0.0}, "local_brightness must be a number above 0"),
        ({"smoothing": -1.0}, "smoothing must be a number of at least 0"),
        ({"false_alarm": 1.0}, "false_alarm must lie between 0 and 1"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        ImageAnomalyDetector(**options).fit([np.zeros((4, 4))])


def test_nothing_is_inspected_before_the_fit():
    with pytest.raises(NotFittedError, match="has learned nothing yet; call fit"):
        ImageAnomalyDetector().inspect(np.zeros((4, 4)))


@pytest.mark.parametrize(("n_strange", "score"), [(10, 5.0), (5, 2.5), (40, 5.0), (0, 0.0)])
def test_the_score_of_an_image_is_the_mean_of_its_strangest_thousandth(rng, n_strange, score):
    places = np.zeros(10_000, dtype=np.float32)
    places[:n_strange] = 5.0
    assert score_of(rng.permutation(places).reshape(80, 125)) == score


def test_the_score_of_a_small_image_is_that_of_its_strangest_place():
    assert score_of(np.array([[0.5, 2.0], [-1.0, 0.0]], dtype=np.float32)) == 2.0


def test_a_sample_of_places_stays_bounded(rng):
    sample = PlaceSample(rng, most_rows=300)
    for value in range(200):
        sample.add(np.full((50, 50, 1), value, dtype=np.float32))
    rows = sample.rows()
    assert 200 <= len(rows) <= 600
    assert len(np.unique(rows)) == 200
    assert sample.n_places == 200 * 2500
