import warnings

import pytest
import torch

from mnist_core.nn.schedules import SCHEDULES, constant, one_cycle


def shares(total_steps):
    return [one_cycle(step, total_steps) for step in range(total_steps)]


def torch_s_rates(total_steps, max_rate):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a scheduler's step without the optimiser's
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=max_rate, total_steps=total_steps, cycle_momentum=False
        )
        rates = [optimiser.param_groups[0]["lr"]]
        for _ in range(total_steps - 1):
            scheduler.step()
            rates.append(optimiser.param_groups[0]["lr"])
    return rates


def test_the_table_names_both_schedules():
    assert {"constant": constant, "one-cycle": one_cycle} == SCHEDULES


@pytest.mark.parametrize(("step", "total_steps"), [(0, 1), (0, 10), (9, 10), (500_000, 1_000_000)])
def test_constant_is_one_everywhere(step, total_steps):
    assert constant(step, total_steps) == 1


@pytest.mark.parametrize("total_steps", [2, 3, 4, 5, 6, 7, 10, 37, 100, 1_000])
@pytest.mark.parametrize("max_rate", [1.0, 0.006])
def test_one_cycle_is_torch_s(total_steps, max_rate):
    ours = [max_rate * share for share in shares(total_steps)]
    assert ours == pytest.approx(torch_s_rates(total_steps, max_rate), rel=1e-6, abs=0)


@pytest.mark.parametrize("total_steps", [*range(1, 60), 9_375])
def test_every_share_is_above_0_and_at_most_1(total_steps):
    assert all(0 < share <= 1 for share in shares(total_steps))


def test_a_run_of_one_step_has_no_tiny_rate():
    assert one_cycle(0, 1) > 0.1  # torch's is 1 / 250,000


@pytest.mark.parametrize("step", [0, 1, 299_999, 300_000, 999_999])
def test_the_shares_of_the_longest_run(step):
    assert 0 < one_cycle(step, 1_000_000) <= 1


def test_the_peak_and_the_points_half_way_are_exact():
    # 20 steps: the peak is at 0.3 x 20 - 1 = 5, the end at 19, so 12 is half way down
    assert one_cycle(0, 20) == pytest.approx(1 / 25, rel=1e-12)
    assert one_cycle(5, 20) == 1
    assert one_cycle(12, 20) == pytest.approx((1 + 1 / 250_000) / 2, rel=1e-12)
    assert one_cycle(19, 20) == pytest.approx(1 / 250_000, rel=1e-9)
    assert one_cycle(1, 10) == pytest.approx((1 + 1 / 25) / 2, rel=1e-12)  # the peak is at 2


@pytest.mark.parametrize("total_steps", [10, 37, 100, 1_000])
def test_it_rises_to_the_peak_and_falls_to_the_end(total_steps):
    values = shares(total_steps)
    peak = values.index(max(values))
    assert abs(peak - (0.3 * total_steps - 1)) <= 1
    assert values[: peak + 1] == sorted(set(values[: peak + 1]))
    assert values[peak:] == sorted(set(values[peak:]), reverse=True)
    assert values[0] == pytest.approx(1 / 25)
    assert values[-1] == pytest.approx(1 / 250_000, rel=1e-9)
