"""Hard negative mining for detectors: exact windows, what a scan finds, budgets, stopping, DET curves."""

import numpy as np
import pytest
from skimage.feature import hog

from mining.learners.errors import Cancelled, LearnerError
from mining.learners.hog import hog_features
from mining.strategies.detection.det_curve import det_curve
from mining.strategies.detection.negative_mining import (
    MiningSettings,
    mine_negatives,
    random_windows,
    train_detector,
)
from mining.strategies.detection.scan import Window, make_level, scan_levels, score_level, window_box, window_features


@pytest.mark.parametrize(
    "window",
    [
        Window(25, 25),
        Window(20, 30, pixels_per_cell=5),
        Window(16, 16, pixels_per_cell=8),
        Window(18, 12, pixels_per_cell=6, orientations=6),
        Window(12, 12, pixels_per_cell=4, cells_per_block=1),
        Window(24, 24, pixels_per_cell=4, cells_per_block=3),
    ],
    ids=str,
)
def test_every_window_of_a_scan_is_scikit_images_hog_of_the_cut_out_window(window):
    generator = np.random.default_rng(0)
    image = generator.random((53, 47))
    weights = generator.normal(size=window.n_features)
    level = make_level(image, window)
    scores = score_level(level, window, weights, 0.25)
    cell = window.pixels_per_cell
    assert scores.shape == (53 // cell - window.cell_rows + 1, 47 // cell - window.cell_columns + 1)
    for row, column in np.ndindex(scores.shape):
        cut = image[row * cell : row * cell + window.height, column * cell : column * cell + window.width]
        alone = hog(
            cut,
            orientations=window.orientations,
            pixels_per_cell=(cell, cell),
            cells_per_block=(window.cells_per_block,) * 2,
        )
        assert scores[row, column] == pytest.approx(alone @ weights + 0.25, abs=1e-4)
        features = window_features(level, window, np.array([row]), np.array([column]))
        np.testing.assert_allclose(features[0], alone, atol=1e-5)


def test_the_pyramid_halves_and_boxes_are_in_pixels_of_the_image():
    levels = list(scan_levels(np.random.default_rng(0).random((60, 80)), Window(25, 25), step=2.0))
    assert [level.scale for level in levels] == [1.0, 2.0]
    assert (levels[1].rows, levels[1].columns) == (2, 4)
    assert window_box(levels[1], Window(25, 25), 1, 2) == (20.0, 10.0, 70.0, 60.0)
    with pytest.raises(LearnerError, match="above 1"):
        next(scan_levels(np.zeros((60, 80)), Window(25, 25), step=1.0))


def test_windows_that_are_no_whole_cells_are_refused():
    with pytest.raises(LearnerError, match="24 x 25 pixels is no whole number of cells"):
        Window(25, 24)
    with pytest.raises(LearnerError, match="too few cells"):
        Window(5, 25)


@pytest.fixture(scope="module")
def crosses():
    """Objects are crosses; photographs hold noise, bars, and a few look-alikes: crosses with one arm missing."""
    generator = np.random.default_rng(0)

    def cross(arms=4):
        patch = generator.normal(0.5, 0.05, (20, 20))
        for arm in range(arms):
            part = (slice(0, 10), slice(9, 11)) if arm % 2 else (slice(9, 11), slice(0, 10))
            turned = np.rot90(patch, 2) if arm > 1 else patch
            turned[part] = 1.0
        return np.clip(patch, 0, 1)

    positives = hog_features(np.stack([cross() for _ in range(40)]), pixels_per_cell=(5, 5))
    images = []
    for _ in range(3):
        image = generator.normal(0.5, 0.05, (100, 120))
        for _ in range(6):
            top, left = generator.integers(0, 16) * 5, generator.integers(0, 20) * 5
            image[top : top + 20, left : left + 20] = cross(arms=3)
        images.append(np.clip(image, 0, 1))
    return positives, images, Window(20, 20)


SETTINGS = MiningSettings(rounds=4, first_negatives=20, cost=1.0)


def test_mining_finds_the_look_alikes_and_stops_when_nothing_is_new(crosses):
    positives, images, window = crosses
    seen = []
    result = mine_negatives(
        positives, images, window, settings=SETTINGS, on_progress=lambda done, total: seen.append((done, total))
    )
    first, last = result.rounds[0], result.rounds[-1]
    assert first.n_false_positives > 0 and first.n_new == first.n_false_positives
    assert last.n_false_positives < first.n_false_positives / 2
    assert last.n_new == 0 or len(result.rounds) == 4
    assert len(result.negatives) == 20 + sum(turn.n_new for turn in result.rounds) == last.n_negatives
    assert len(np.unique(result.places, axis=0)) == len(result.places)
    assert (result.detector.scores(positives) > 0).all()
    assert seen[0] == (1, 12)


def test_the_same_seed_mines_the_same_windows(crosses):
    positives, images, window = crosses
    first, again = (mine_negatives(positives, images, window, settings=SETTINGS, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.places, again.places)
    np.testing.assert_array_equal(first.detector.weights, again.detector.weights)


def test_the_budget_keeps_the_hardest(crosses):
    positives, images, window = crosses
    tight = MiningSettings(rounds=1, first_negatives=20, budget=22, most_new=5, cost=1.0)
    result = mine_negatives(positives, images, window, settings=tight)
    assert result.rounds[0].n_new == 5 and len(result.negatives) == 22


def test_no_windows_too_few_positives_and_a_cancel(crosses):
    positives, images, window = crosses
    with pytest.raises(LearnerError, match="no image is as large as the window"):
        mine_negatives(positives, [np.zeros((10, 10))], window)
    with pytest.raises(LearnerError, match="at least two windows"):
        mine_negatives(positives[:1], images, window)

    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        mine_negatives(positives, images, window, settings=SETTINGS, on_progress=stop)


def test_random_windows_are_distinct_and_real(crosses):
    _, images, window = crosses
    features, places = random_windows(images, window, 80, seed=1)
    assert len(np.unique(places, axis=0)) == 80
    for feature, (which, height, row, column) in list(zip(features, places, strict=True))[:10]:
        level = list(scan_levels(images[which], window))[height]
        np.testing.assert_array_equal(feature, window_features(level, window, np.array([row]), np.array([column]))[0])
    everything, _ = random_windows(images[:1], window, 10**9)
    assert len(everything) == sum(level.rows * level.columns for level in scan_levels(images[0], window))


def test_balance_moves_the_threshold_and_not_much_else(crosses):
    positives, images, window = crosses
    negatives, _ = random_windows(images, window, 600)
    even = train_detector(positives, negatives, window, balanced=True)
    plain = train_detector(positives, negatives, window, balanced=False)
    assert even.scores(positives).mean() > plain.scores(positives).mean()


def test_det_curve_by_hand():
    curve = det_curve([3.0, 1.0], [2.0, 0.0, -1.0, -2.0])
    assert curve.threshold.tolist() == [3, 2, 1, 0, -1, -2]
    assert curve.false_positive_rate.tolist() == [0, 0.25, 0.25, 0.5, 0.75, 1.0]
    assert curve.miss_rate.tolist() == [0.5, 0.5, 0, 0, 0, 0]
    assert curve.miss_rate_at(0.25) == 0.0 and curve.miss_rate_at(0.1) == 0.5
    with pytest.raises(ValueError, match="positive and of negative"):
        det_curve([], [1.0])
