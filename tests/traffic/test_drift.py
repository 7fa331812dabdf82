"""What counts as drift: false alarms are as rare as the level says, and small differences do not count."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from digits import DEFAULT_MODEL, Model
from pipeline.monitoring import significance
from traffic.counts import Counts
from traffic.drift import LEAST_DISTANCE, LEVEL, Comparison, comparisons, judged
from traffic.features import FEATURES
from traffic.slots import REFERENCE, REFERENCE_JSON

CRITICAL = significance.critical_values(LEVEL)


def like(reference: Counts, pictures: int, rng: np.random.Generator) -> Counts:
    """Counts of pictures that are drawn from the reference's own histograms."""
    drawn = Counts()
    for kind, features in reference.histograms.items():
        for name, bins in features.items():
            shares = np.array(bins) / max(sum(bins), 1)
            drawn.histograms[kind][name] = rng.multinomial(pictures, shares).tolist()
    return drawn


def some(pictures: int, seed: int = 0, emptied: float = 0.3) -> Counts:
    """A reference with many bins that are empty or nearly so, as in real references."""
    rng = np.random.default_rng(seed)
    counts = Counts()
    for kind, features in FEATURES.items():
        for name, feature in features.items():
            shares = rng.dirichlet(np.full(len(feature.bins), 0.5)) * (
                rng.random(len(feature.bins)) > emptied
            )
            shares[0] += 1e-3
            counts.histograms[kind][name] = rng.multinomial(pictures, shares / shares.sum()).tolist()
    return counts


def unlikely(found: list[Comparison]) -> list[Comparison]:
    """The comparisons with a significant difference, however small it is."""
    return [one for one, p in zip(found, significance.adjusted(found), strict=True) if p <= LEVEL]


@pytest.mark.parametrize("pictures", [100, 500, 5000])
def test_chance_is_called_out_as_often_as_the_level_says(pictures: int) -> None:
    """Both samples are drawn, because the test must allow for the randomness of the reference too."""
    truth, rng, windows = some(1_000_000), np.random.default_rng(pictures), 400
    alarms = sum(
        bool(unlikely(comparisons(like(truth, pictures, rng), like(truth, 1000, rng))))
        for _ in range(windows)
    )
    assert alarms <= binom.ppf(0.999, windows, LEVEL)


def test_service_and_command_say_the_same() -> None:
    """The service steps through a table of critical values; the command uses scipy's corrected p-values."""
    rng = np.random.default_rng(4)
    said = []
    for seed in range(150):
        reference = some(1000, seed)
        window = like(reference, int(rng.integers(100, 2000)), rng)
        for name in rng.choice(list(FEATURES["predict"]), int(rng.integers(3))):
            bins = np.array(window.histograms["predict"][name])
            moved = (bins * rng.uniform(0, 0.5)).astype(int)
            window.histograms["predict"][name] = (bins - moved + np.roll(moved, 1)).tolist()
        found = comparisons(window, reference)
        assert judged(found, CRITICAL) == [one for one, _ in significance.judged(found, LEVEL)]
        said.append(sum(one.drifted for one in judged(found, CRITICAL)))
    assert {0, 1, 2} <= set(said), "some of all kinds"


def test_small_difference_in_a_huge_window_is_no_drift() -> None:
    reference, window = Counts(), Counts()
    for counts, share in ((reference, 0.5), (window, 0.5 + 0.9 * LEAST_DISTANCE)):
        for name, feature in FEATURES["predict"].items():
            counts.histograms["predict"][name] = [1_000_000] + [0] * (len(feature.bins) - 1)
        counts.histograms["predict"]["paper"][:2] = [round(1e6 * share), round(1e6 * (1 - share))]
    found = comparisons(window, reference)
    assert [one.name for one in unlikely(found)] == ["paper"]
    assert not [one for one in judged(found, CRITICAL) if one.drifted]
    window.histograms["predict"]["paper"][:2] = [round(1e6 * (0.51 + LEAST_DISTANCE)), 0]
    assert [one.name for one in judged(comparisons(window, reference), CRITICAL) if one.drifted] == ["paper"]


def test_too_few_pictures_are_not_compared() -> None:
    assert not comparisons(some(99), some(1000))
    assert not comparisons(some(1000), some(99))
    assert not judged([], CRITICAL)


def test_bins_are_taken_together_until_chance_expects_five_in_each() -> None:
    rng = np.random.default_rng(1)
    for seed in range(50):
        reference = some(1000, seed)
        for one in comparisons(like(reference, 120, rng), reference):
            table = np.array(one.table)
            assert table.sum(axis=1).tolist() == [sum(one.window), sum(one.reference)]
            if one.freedom:
                expected = table.sum(axis=1)[:, None] * table.sum(axis=0) / table.sum()
                assert expected.min() >= 5 - 1e-9


def test_default_model_has_a_reference_of_this_version() -> None:
    reference = REFERENCE_JSON.validate_json((DEFAULT_MODEL / REFERENCE).read_bytes())
    assert reference.model == Model.load(DEFAULT_MODEL).manifest.sha256
    counts = Counts.of(reference.counts)
    assert min(counts.pictures("predict"), counts.pictures("read")) >= 1000
    assert reference.level == LEVEL
    assert np.allclose(reference.critical, CRITICAL)
