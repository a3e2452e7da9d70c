import math

import pytest
from benchmarks.reference import SIZES, Reference
from benchmarks.steps import compare, differing_losses, print_targets, print_workload
from benchmarks.turns import Measured
from benchmarks.workloads import WORKLOADS


def measured(seconds, losses=(1.0, 0.9, 0.8), **options):
    return Measured("made up", seconds=list(seconds), losses=list(losses), **options)


def test_a_ratio_is_of_medians_with_the_quartiles_of_turns():
    ratio = compare(measured([10.0, 20.0, 30.0]), measured([5.0, 5.0, 10.0]))
    assert ratio.value == 4.0
    assert (ratio.low, ratio.high) == (2.5, 3.5)  # of 2, 4 and 3


def test_losses_must_be_close_where_the_arithmetic_is_the_same():
    results = {"torch": measured([1.0]), "fit": measured([1.0], (1.0, 0.9, 0.8005))}
    assert differing_losses(WORKLOADS["tiny"], results) == {}
    results["fit"].losses[1] = 0.91
    assert differing_losses(WORKLOADS["tiny"], results) == {"fit": "0.01"}


def test_losses_under_other_masks_of_dropout_may_differ_a_little():
    workload = WORKLOADS["tiny-drop"]
    results = {"torch": measured([1.0]), "fit": measured([1.0], (1.03, 0.9, 0.8))}
    assert differing_losses(workload, results) == {}
    results["fit"].losses[0] = 1.3
    assert differing_losses(workload, results) == {"fit": "11%"}


@pytest.mark.parametrize("name", ["tiny", "tiny-drop"])
def test_a_loss_that_is_not_a_number_differs(name):
    results = {"torch": measured([1.0]), "fit": measured([1.0], (1.0, 0.9, math.nan))}
    assert set(differing_losses(WORKLOADS[name], results)) == {"fit"}


def test_targets_are_printed_as_reached_or_missed_and_wrong_losses_do_not_count(capsys):
    workload = WORKLOADS["tiny"]
    results = {
        "torch": measured([600e-6] * 3),
        "jax-scan": measured([1e-6] * 3, (9.0, 9.0, 9.0)),  # fast, but trains something else
        "keras": measured([16e-6] * 3),
        "sklearn": Measured("scikit-learn", failed="cannot"),
        "fit": measured([10e-6] * 3),
    }
    references = {t: Reference(t, 1e11 * t, tuple(1e11 for _ in SIZES)) for t in (1, 2)}
    print_workload(workload, results, references)
    print_targets([workload], {"tiny": results}, references)
    printed = capsys.readouterr().out
    assert "60.00 (60.00-60.00) reaches 30" in printed
    assert "1.60 (1.60-1.60) reaches 1.5" in printed
    assert "LOSS DIFFERS by 8.2" in printed
    assert "scikit-learn             -: cannot" in printed
    assert "3.26 (2.13) reaches 4" in printed  # 10 µs over 1.62 + 1.45 µs, and over 3.24 + 1.45 µs
