"""Claims about the measures of segmentations: cases by hand, laws, naive twins, other libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from skimage.metrics import variation_of_information
from sklearn.metrics import f1_score, jaccard_score, precision_score, rand_score, recall_score

from gmmseg.errors import InputError
from gmmseg.evaluation import (
    BoundaryScores,
    ClassScores,
    MaskScores,
    RegionScores,
    boundary_scores,
    class_scores,
    mask_scores,
    match_labels,
    region_scores,
)
from tests.evaluation import naive_measures as naive

SHAPES = st.sampled_from([(1, 1), (1, 6), (4, 5), (2, 3, 3)])
PERFECT = RegionScores(1.0, 1.0, 0.0, 0.0)


def label_pairs(n_labels=4, shapes=SHAPES):
    """Two segmentations of one shape, with labels from 0 on, the truth with some that are not 0."""
    label = st.integers(0, n_labels)
    return shapes.flatmap(
        lambda shape: st.tuples(
            arrays(np.uint8, shape, elements=label),
            arrays(np.uint8, shape, elements=label).filter(lambda truth: truth.any()),
        )
    )


def values_of(scores):
    return scores.covering, scores.rand_index, scores.false_splits, scores.false_merges


@given(label_pairs(), st.sampled_from([0, None]))
def test_region_scores_are_those_of_their_definitions(pair, ignore_label):
    labels, truth = pair
    scored = np.ones(truth.shape, bool) if ignore_label is None else truth != ignore_label
    scores = region_scores(labels, truth, ignore_label=ignore_label)
    assert_allclose(scores.covering, naive.covering(labels, truth, scored), atol=1e-12)
    assert_allclose(scores.rand_index, naive.rand_index(labels, truth, scored), atol=1e-12)
    splits = naive.conditional_entropy(labels, truth, scored)
    merges = naive.conditional_entropy(truth, labels, scored)
    assert_allclose([scores.false_splits, scores.false_merges], [splits, merges], atol=1e-12)


@given(label_pairs())
def test_region_scores_are_those_of_scikit_image_and_scikit_learn(pair):
    labels, truth = pair
    scores = region_scores(labels, truth, ignore_label=None)
    bits = variation_of_information(truth, labels)  # what each leaves unknown of the other
    assert_allclose([scores.false_splits, scores.false_merges], bits, atol=1e-9)
    if labels.size > 1:
        assert_allclose(scores.rand_index, rand_score(truth.ravel(), labels.ravel()), atol=1e-12)


@given(label_pairs())
def test_region_scores_lie_within_their_bounds(pair):
    scores = region_scores(*pair)
    assert 0.0 < scores.covering <= 1.0
    assert 0.0 <= scores.rand_index <= 1.0
    assert 0.0 <= scores.variation_of_information <= 2.0 * np.log2(max(pair[1].size, 1))


@given(label_pairs())
def test_a_segmentation_is_perfect_beside_itself(pair):
    _, truth = pair
    assert region_scores(truth, truth) == PERFECT
    scores = class_scores(truth, truth)
    assert (scores.mean_iou, scores.mean_dice, scores.accuracy) == (1.0, 1.0, 1.0)
    assert boundary_scores(truth, truth, tolerance=0).f1 == 1.0
    assert mask_scores(truth, truth).iou == 1.0


@given(label_pairs(), st.permutations(range(5)), st.permutations(range(5)))
def test_names_of_regions_do_not_matter(pair, names, other_names):
    labels, truth = pair
    renamed = np.array(names, dtype=np.int64)[labels] * 10**12 - 7
    truth_renamed = np.array(other_names, dtype=np.int16)[truth] - 300
    one = region_scores(labels, truth, ignore_label=None)
    two = region_scores(renamed, truth_renamed, ignore_label=None)
    assert_allclose(values_of(one), values_of(two), atol=1e-12)
    first, second = (
        boundary_scores(*of, tolerance=1, ignore_label=None)
        for of in ((labels, truth), (renamed, truth_renamed))
    )
    assert first == second
    first, second = (
        class_scores(*of, ignore_label=None) for of in ((labels, truth), (renamed, truth_renamed))
    )
    assert_allclose(first.mean_iou, second.mean_iou, atol=1e-12)


@given(label_pairs())
def test_swapping_segmentation_and_truth_swaps_splits_and_merges(pair):
    one, two = (
        region_scores(*pair, ignore_label=None),
        region_scores(*pair[::-1], ignore_label=None),
    )
    assert_allclose(one.rand_index, two.rand_index, atol=1e-12)
    assert_allclose(one.false_splits, two.false_merges, atol=1e-12)
    assert_allclose(one.false_merges, two.false_splits, atol=1e-12)
    found = boundary_scores(*pair, tolerance=1, ignore_label=None)
    swapped = boundary_scores(*pair[::-1], tolerance=1, ignore_label=None)
    assert (found.precision, found.recall) == (swapped.recall, swapped.precision)


@given(label_pairs())
def test_transposed_segmentations_have_the_same_scores(pair):
    turned = [one.T for one in pair]
    assert_allclose(values_of(region_scores(*pair)), values_of(region_scores(*turned)), atol=1e-12)
    assert boundary_scores(*pair, tolerance=1) == boundary_scores(*turned, tolerance=1)
    assert class_scores(*pair, match="same") == class_scores(*turned, match="same")
    assert mask_scores(*pair) == mask_scores(*turned)


@given(label_pairs())
def test_a_finer_segmentation_merges_nothing_and_finds_every_border(pair):
    labels, truth = pair
    finer = labels * 5 + truth  # two pixels of one region are of one region of the truth
    scores = region_scores(finer, truth, ignore_label=None)
    assert scores.false_merges == 0.0
    assert boundary_scores(finer, truth, tolerance=0, ignore_label=None).recall == 1.0
    assert class_scores(finer, truth, match="majority", ignore_label=None).mean_iou == 1.0
    coarser = region_scores(truth, finer, ignore_label=None)
    assert coarser.false_splits == 0.0


@given(label_pairs())
def test_several_annotators_give_the_mean(pair):
    labels, truth = pair
    alone = region_scores(labels, truth), region_scores(labels, np.ones_like(truth))
    both = region_scores(labels, [truth, np.ones_like(truth)])
    assert_allclose(values_of(both), np.mean([values_of(one) for one in alone], axis=0), atol=1e-12)
    stacked = region_scores(labels, np.stack([truth, np.ones_like(truth)]))
    assert stacked == both


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64, np.bool_])
def test_labels_at_the_ends_of_their_dtype_are_labels_like_others(dtype):
    info = np.iinfo(dtype if dtype is not np.bool_ else np.uint8)
    ends = np.array([info.min, info.max], dtype=dtype)
    labels = ends[[[0, 0, 1, 1]]]
    assert region_scores(labels, [[5, 5, 6, 6]]) == PERFECT
    match = match_labels(labels, [[5, 5, 6, 6]], ignore_label=None)
    assert match == {int(ends[0]): 5, int(ends[1]): 6}
    assert match_labels(labels, labels, match="same", ignore_label=None) == {
        int(end): int(end) for end in ends
    }


def test_regions_by_hand():
    truth = [[1, 1, 1, 1, 2, 2, 2, 2]]
    labels = [[5, 5, 5, 5, 5, 5, 9, 9]]
    # 1 is best covered by 5, 4 of 6; 2 by 9, 2 of 4: (2/3 + 1/2) / 2.
    # Of 28 pairs 8 of {1s} with the two 2s called 5 and 4 of {2s} cut in two disagree.
    # Half of 2 is split off: 4/8 of 1 bit. 5 holds 4 and 2: 6/8 of H(1/3) = 0.9183 bits.
    scores = region_scores(labels, truth)
    assert_allclose(scores.covering, 7 / 12)
    assert_allclose(scores.rand_index, 16 / 28)
    assert_allclose(scores.false_splits, 0.5)
    assert_allclose(scores.variation_of_information, 0.5 + 0.75 * 0.9182958340544896)


def test_what_only_the_segmentation_masks_out_is_scored_and_what_the_truth_does_is_not():
    truth = [[1, 1, 2, 2, 0, 0]]
    assert region_scores([[1, 1, 2, 2, 3, 4]], truth) == PERFECT
    masked = class_scores([[1, 1, 2, 0, 0, 0]], truth)
    assert masked == ClassScores((1, 2), right=(2, 1), called=(2, 1), true=(2, 2))
    assert match_labels([[0, 0, 2, 2, 0, 0]], truth) == {2: 2}
    assert match_labels([[0, 0, 2, 2, 0, 0]], truth, match="majority") == {2: 2}
    assert match_labels([[0, 0, 2, 2, 3, 3]], truth, ignore_label=None) == {0: 1, 2: 2, 3: 0}


@given(label_pairs(), st.sampled_from([0, 1, 1.5]))
def test_borders_are_the_sides_between_labels_and_right_if_one_is_near(pair, tolerance):
    labels, truth = pair
    scored = truth != 0
    scores = boundary_scores(labels, truth, tolerance=tolerance)
    found, true = naive.sides(labels, scored), naive.sides(truth, scored)
    n_right, n_found = (naive.n_near(*of, tolerance) for of in ((found, true), (true, found)))
    assert scores == BoundaryScores(len(found), n_right, len(true), n_found)


@given(label_pairs(), st.sampled_from([0.0, 0.5, 1.0]))
def test_with_a_wider_tolerance_no_less_is_right(pair, tolerance):
    narrow = boundary_scores(*pair, tolerance=tolerance)
    wide = boundary_scores(*pair, tolerance=tolerance + 0.5)
    assert wide.found_right >= narrow.found_right
    assert wide.true_found >= narrow.true_found
    assert 0.0 <= wide.precision <= 1.0
    assert 0.0 <= wide.f1 <= 1.0


def test_borders_by_hand():
    truth = [[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2]]
    labels = [[1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1]]
    # Found: one side in row 0, after column 1, and four below it, under 2 2 2 2.
    # True: two sides, after column 2 in both rows.
    near = boundary_scores(labels, truth, tolerance=1)
    assert (near.found, near.true) == (5, 2)
    # (0, 1.5) is 1 from (0, 2.5); (0.5, 2) and (0.5, 3) are 0.7 from both; two are too far.
    assert (near.found_right, near.true_found) == (3, 2)
    assert (near.precision, near.recall) == (0.6, 1.0)
    assert_allclose(near.f1, 0.75)
    exact = boundary_scores(labels, truth, tolerance=0)
    assert (exact.precision, exact.recall, exact.f1) == (0.0, 0.0, 0.0)


def test_a_border_is_right_if_any_annotator_drew_it_and_sought_for_each():
    labels = [[1, 1, 2, 2, 3, 3]]
    truths = [[[1, 1, 2, 2, 2, 2]], [[1, 1, 1, 1, 2, 2]], [[1, 2, 2, 2, 2, 2]]]
    scores = boundary_scores(labels, truths, tolerance=0)
    assert scores == BoundaryScores(found=2, found_right=2, true=3, true_found=2)


def test_the_usual_tolerance_is_a_share_of_the_diagonal():
    truth, labels = np.ones((300, 400), np.uint8), np.ones((300, 400), np.uint8)
    truth[:, 200:] = 2
    labels[:, 203:] = 2
    assert boundary_scores(labels, truth).f1 == 1.0  # 0.0075 · 500 = 3.75 pixels
    assert boundary_scores(labels, truth, tolerance=2.9).f1 == 0.0


def test_where_there_is_no_border_none_is_missed_nor_false():
    plain, halves = np.ones((2, 4), int), np.repeat([[1, 1, 2, 2]], 2, axis=0)
    assert boundary_scores(plain, plain).f1 == 1.0
    missed, false = boundary_scores(plain, halves), boundary_scores(halves, plain)
    assert (missed.precision, missed.recall, missed.f1) == (1.0, 0.0, 0.0)
    assert (false.precision, false.recall, false.f1) == (0.0, 1.0, 0.0)


@given(label_pairs(3), st.sampled_from([0, None]))
def test_the_match_one_to_one_has_the_largest_mean_iou(pair, ignore_label):
    labels, truth = pair
    scored = np.ones(truth.shape, bool) if ignore_label is None else truth != ignore_label
    scores = class_scores(labels, truth, ignore_label=ignore_label)
    best = naive.mean_iou(labels, truth, scored, ignore_label)
    assert_allclose(scores.mean_iou, best, atol=1e-12)
    match = match_labels(labels, truth, ignore_label=ignore_label)
    assert len(set(match.values())) == len(match)


@given(label_pairs())
def test_by_majority_the_accuracy_is_largest(pair):
    labels, truth = pair
    scores = class_scores(labels, truth, match="majority", ignore_label=None)
    best = sum(np.bincount(truth[labels == name]).max() for name in np.unique(labels))
    assert_allclose(scores.accuracy, best / truth.size, atol=1e-12)
    match = match_labels(labels, truth, match="majority", ignore_label=None)
    assert list(match) == np.unique(labels).tolist()
    assert scores.accuracy >= class_scores(labels, truth, ignore_label=None).accuracy - 1e-12


@given(label_pairs())
def test_class_scores_are_those_of_scikit_learn_where_labels_are_classes(pair):
    labels, truth = pair
    scores = class_scores(labels, truth, match="same", ignore_label=None)
    options = {"labels": np.unique(truth), "average": None, "zero_division": 0}
    flat = truth.ravel(), labels.ravel()
    assert_allclose(scores.iou, jaccard_score(*flat, **options), atol=1e-12)
    assert_allclose(scores.dice, f1_score(*flat, **options), atol=1e-12)
    assert scores.accuracy == np.mean(labels == truth)


def test_classes_by_hand():
    truth = [[1, 1, 1, 1, 1, 1, 7, 7, 7, 7]]
    labels = [[3, 3, 3, 3, 2, 2, 2, 2, 4, 4]]
    scores = class_scores(labels, truth)  # 3 is 1, with 4 of 6; 4 is 7, with 2 of 4; 2 is left over
    assert scores == ClassScores((1, 7), right=(4, 2), called=(4, 2), true=(6, 4))
    assert scores.iou == (4 / 6, 0.5)
    assert scores.dice == (0.8, 4 / 6)
    assert (scores.mean_iou, scores.accuracy) == (pytest.approx(7 / 12), 0.6)
    many = class_scores(labels, truth, match="majority")  # 2 is as much 1 as 7: the first
    assert many == ClassScores((1, 7), right=(6, 2), called=(8, 2), true=(6, 4))
    assert match_labels(labels, truth, match="same") == {}


def test_scores_of_images_add_up():
    truth = np.array([[1, 1, 2, 2], [1, 3, 3, 3]])
    labels = np.array([[1, 2, 2, 2], [1, 1, 3, 3]])
    parts = [class_scores(labels[k : k + 1], truth[k : k + 1], match="same") for k in (0, 1)]
    assert parts[0] + parts[1] == class_scores(labels, truth, match="same")
    halves = [mask_scores(labels[k : k + 1] == 2, truth[k : k + 1] == 2) for k in (0, 1)]
    assert halves[0] + halves[1] == mask_scores(labels == 2, truth == 2)
    one, other = (
        boundary_scores([[1, 1, 2]], [truth], tolerance=0) for truth in ([1, 1, 2], [1, 2, 3])
    )
    assert one + other == BoundaryScores(found=2, found_right=2, true=3, true_found=2)


@given(label_pairs(1))
def test_mask_scores_are_those_of_scikit_learn(pair):
    mask, truth = pair
    scores = mask_scores(mask * np.uint8(255), truth == 1)
    flat = truth.ravel(), mask.ravel()
    assert_allclose(scores.iou, jaccard_score(*flat, zero_division=0), atol=1e-12)
    assert_allclose(scores.dice, f1_score(*flat, zero_division=0), atol=1e-12)
    assert_allclose(scores.precision, precision_score(*flat, zero_division=1), atol=1e-12)
    assert_allclose(scores.recall, recall_score(*flat), atol=1e-12)
    assert_allclose(scores.accuracy, np.mean(mask == truth), atol=1e-12)


def test_masks_by_hand_and_where_the_truth_is_not_known():
    mask = [[9, 9, 0, 0, 9]]
    truth = [[255, 0, 255, 0, 128]]
    assert mask_scores(mask, truth, ignore_label=128) == MaskScores(1, 1, 1, 1)
    assert mask_scores(mask, truth) == MaskScores(2, 1, 1, 1)
    assert mask_scores([[0]], [[0]]).iou == 1.0
    assert mask_scores([[1]], [[0]]).iou == 0.0
    assert mask_scores([[1]], [[0]]).dice == 0.0


@pytest.mark.parametrize("measure", [region_scores, class_scores, boundary_scores, mask_scores])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1, 2, 3]], r"labels must have the shape of the truth \(1, 2\), got \(1, 3\)$"),
        (
            [[1.0, 2.0]],
            r"labels must be integers, got dtype float64; use labels.astype\(np.int32\)$",
        ),
        ([1, 2], r"labels must have shape \(rows, cols\) or \(planes, rows, cols\), got \(2,\)$"),
        ([[1, 2], [1]], r"labels must be an array of equally long rows: "),
        (np.zeros((0, 2), int), r"labels has no pixels, its shape is \(0, 2\)$"),
    ],
)
def test_what_are_no_labels_of_the_truth_is_refused(measure, labels, message):
    with pytest.raises(InputError, match=message):
        measure(labels, [[1, 2]])


@pytest.mark.parametrize("measure", [region_scores, class_scores, boundary_scores, mask_scores])
def test_a_truth_of_which_nothing_is_scored_is_refused(measure):
    message = (
        "truth has no pixel that is scored: all are ignore_label=0; "
        "use ignore_label=None if that is a label like the others"
    )
    with pytest.raises(InputError, match=message):
        measure([[1, 2]], [[0, 0]], ignore_label=0)


@pytest.mark.parametrize("measure", [region_scores, boundary_scores])
def test_annotators_of_another_shape_and_none_at_all_are_refused(measure):
    with pytest.raises(InputError, match=r"labels must have the shape of the truth \(1, 3\), got"):
        measure([[1, 2]], [[[1, 2]], [[1, 2, 3]]])
    with pytest.raises(InputError, match=r"truths must be at least one segmentation, got none$"):
        measure([[1, 2]], np.zeros((0, 1, 2), int))
    with pytest.raises(InputError, match=r"truths must be an array of equally long rows: "):
        measure([[1, 2]], [[1, 2], [1]])


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance):
    message = f"tolerance must be at least 0 pixels, got {tolerance}$"
    with pytest.raises(InputError, match=message):
        boundary_scores([[1, 2]], [[1, 2]], tolerance=tolerance)


def test_a_match_that_is_none_is_refused():
    message = "match must be 'one-to-one', 'majority' or 'same', got 'best'$"
    with pytest.raises(InputError, match=message):
        class_scores([[1, 2]], [[1, 2]], match="best")


def test_regions_that_are_taken_for_classes_are_refused_before_memory_is():
    each = np.arange(1, 14_401, dtype=np.int32).reshape(120, 120)
    message = (
        r"14400 labels and 14400 classes are too many to match; are they classes, or regions\?$"
    )
    with pytest.raises(InputError, match=message):
        class_scores(each, each)
    assert class_scores(each, each, match="majority").mean_iou == 1.0
