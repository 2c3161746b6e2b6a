"""Scenarios: known answers, twins, independence of the batch, and moments against theory."""

from __future__ import annotations

import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from optimizer.curves import FACTORS, NEVER, _scenarios, default_months, factor_multipliers, hashprice_paths, reference
from optimizer.curves.threads import limit_threads
from optimizer.errors import InvalidInputError

# Random123, kat_vectors, philox4x32 with 10 rounds: counter, key, answer.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
CORRELATION = np.array(
    [
        [1.0, 0.6, 0.1, 0.3, 0.2],
        [0.6, 1.0, 0.2, 0.1, 0.0],
        [0.1, 0.2, 1.0, -0.2, 0.1],
        [0.3, 0.1, -0.2, 1.0, 0.7],
        [0.2, 0.0, 0.1, 0.7, 1.0],
    ]
)
MARKET = {
    "volatility_per_year": np.array([0.7, 0.3, 0.25, 0.4, 0.15]),
    "mean_reversion_per_year": np.array([0.0, 0.5, 2.0, 0.3, 0.1]),
    "correlation": CORRELATION,
}

seeds = st.sampled_from([0, 2**32, 2**63 + 5, 2**64 - 1]) | st.integers(0, 2**64 - 1)


def words(text):
    return tuple(int(word, 16) for word in text.split())


def test_compiled_module_is_loaded():
    assert _scenarios.__file__.endswith((".so", ".pyd"))


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_known_answers(counter, key, answer):
    assert _scenarios.philox4x32(words(counter), words(key)) == words(answer)
    assert tuple(int(word) for word in reference.philox4x32(words(counter), words(key))) == words(answer)


def test_normal_quantile():
    tails = 2.0 ** -np.arange(2.0, 54.0)
    uniform = np.concatenate([np.linspace(1e-3, 1 - 1e-3, 4001), tails, 1.0 - tails])
    deviate = _scenarios.normal_quantile(uniform)
    np.testing.assert_allclose(deviate, ndtri(uniform), rtol=2e-14, atol=1e-15)
    standard = statistics.NormalDist()
    np.testing.assert_allclose(deviate, [standard.inv_cdf(u) for u in uniform], rtol=1e-15, atol=0)
    np.testing.assert_array_equal(_scenarios.normal_quantile(1.0 - tails), -_scenarios.normal_quantile(tails))


def test_uniforms_equal_twin_in_every_lane():
    # 300 scenarios are more than a slice of the kernels, and no multiple of its lanes.
    first, count = 2**32 - 300, 300
    scenario = np.arange(first, first + count, dtype=np.uint64)
    for seed, month, stream, block in (
        (0, 0, 0, 0),
        (2**64 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1),
        (2**63 + 5, 7, 3, 1),
    ):
        pair = _scenarios.uniforms(seed, first, count, month, stream, block)
        np.testing.assert_array_equal(pair, reference.uniform_pair(seed, scenario, month, stream, block))
        assert np.unique(pair).size == 2 * count


def test_exp_and_log_have_the_bits_of_their_twins():
    # The twins round after each operation, so equal bits mean no fused operation, whatever the instruction set.
    rng = np.random.default_rng(1)
    x = np.concatenate(
        [rng.uniform(-700.0, 700.0, 50_000), rng.normal(0.0, 1.0, 50_000), [0.0, -708.0, 708.0, 1e9, -1e9]]
    )
    y = np.concatenate([np.exp(x[:-2]), 2.0 ** -np.arange(1.0, 54.0), np.nextafter(1.0, [0.0, 2.0])])
    np.testing.assert_array_equal(_scenarios.exponential(x), reference.exponential(x))
    np.testing.assert_array_equal(_scenarios.logarithm(y), reference.logarithm(y))
    # NumPy's own are within 1 ulp too.
    np.testing.assert_allclose(_scenarios.exponential(x[:-2]), np.exp(x[:-2]), rtol=4.5e-16, atol=0)
    np.testing.assert_allclose(_scenarios.logarithm(y), np.log(y), rtol=4.5e-16, atol=0)
    assert _scenarios.exponential(np.zeros(1)) == 1.0
    assert _scenarios.logarithm(np.ones(1)) == 0.0


@given(
    seeds,
    st.integers(0, 2**32 - 20),
    st.integers(1, 8),
    st.integers(1, 6),
    st.lists(st.sampled_from([0.0, 1e-6, 0.3, 3.0]), min_size=5, max_size=5),
)
def test_factor_multipliers_equal_twin(seed, first, scenarios, months, reversion):
    arguments = {
        "seed": seed,
        "first_scenario": first,
        "scenario_count": scenarios,
        "month_count": months,
    } | (MARKET | {"mean_reversion_per_year": np.array(reversion)})
    np.testing.assert_allclose(
        factor_multipliers(**arguments), reference.factor_multipliers(**arguments), rtol=1e-9
    )  # the twin's 1 - decay**2 loses digits at the smallest mean reversion


def test_scenario_is_the_same_in_any_batch():
    def draw(first, count):
        return factor_multipliers(seed=2**63 + 5, first_scenario=first, scenario_count=count, month_count=7, **MARKET)

    whole = draw(100, 600)
    assert np.unique(whole).size == whole.size
    cuts = [0, 1, 2, 255, 256, 300, 600]
    parts = [draw(100 + a, b - a) for a, b in itertools.pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=2), whole)
    longer = factor_multipliers(seed=2**63 + 5, first_scenario=100, scenario_count=600, month_count=9, **MARKET)
    np.testing.assert_array_equal(longer[:, :7], whole)


def test_bits_do_not_depend_on_the_threads():
    def everything():
        m = factor_multipliers(seed=5, first_scenario=0, scenario_count=2500, month_count=6, **MARKET)
        hazard_multiplier = np.ascontiguousarray(m[0])
        months = default_months(
            seed=5,
            first_scenario=0,
            scenario_count=2500,
            default_hazard_per_year_frac=[0.3, 0.1],
            streams=[1, 2],
            hazard_multiplier=hazard_multiplier,
        )
        return m, months, hashprice_paths(**base_paths(m))

    with limit_threads(1):
        alone = everything()
    for threads in (2, 5):
        with limit_threads(threads):
            for one, many in zip(alone, everything(), strict=True):
                np.testing.assert_array_equal(many, one)


def base_paths(multipliers):
    months = multipliers.shape[1]
    return {
        "base_btc_usd": np.linspace(9e4, 2e5, months),
        "base_network_eh_s": np.linspace(9e2, 2e3, months),
        "subsidy_btc": np.full(months, 3.125),
        "fee_share_frac": np.full(months, 0.02),
        "multipliers": multipliers,
        "network_price_elasticity": 0.4,
        "network_lag_months": 2,
    }


def test_some_factors_are_those_of_all():
    arguments = {"seed": 4, "first_scenario": 7, "scenario_count": 40, "month_count": 5} | MARKET
    whole = factor_multipliers(**arguments)
    some = factor_multipliers(**arguments, factor_index=[3, 0])
    np.testing.assert_array_equal(some, whole[[3, 0]])
    first_two = factor_multipliers(**arguments, factor_index=[0, 1])
    np.testing.assert_array_equal(hashprice_paths(**base_paths(first_two)), hashprice_paths(**base_paths(whole)))
    for index, message in (([5], r"factor_index\[0\]: is 5"), ([0, 0], "each one once"), ([], "factor_index: ")):
        with pytest.raises(InvalidInputError, match=message):
            factor_multipliers(**arguments, factor_index=np.array(index, dtype=int))


def test_a_volatility_of_zero_leaves_the_other_paths():
    arguments = {"seed": 4, "first_scenario": 0, "scenario_count": 300, "month_count": 5} | MARKET
    whole = factor_multipliers(**arguments)
    still = factor_multipliers(**arguments | {"volatility_per_year": MARKET["volatility_per_year"] * [1, 0, 1, 0, 1]})
    np.testing.assert_array_equal(still[[1, 3]], 1.0)
    np.testing.assert_array_equal(still[[0, 2, 4]], whole[[0, 2, 4]])


def test_moments_and_correlations_match_theory():
    count, months = 40_000, 30
    m = factor_multipliers(seed=20_260_101, first_scenario=0, scenario_count=count, month_count=months, **MARKET)
    volatility, reversion = MARKET["volatility_per_year"][:, None], MARKET["mean_reversion_per_year"][:, None]
    years = np.arange(1, months + 1) / 12
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = volatility**2 * np.where(
            reversion > 0, (1 - np.exp(-2 * reversion * years)) / (2 * reversion), years
        )
    x = np.log(m) + variance[:, :, None] / 2
    for t in (0, 11, 29):
        z_mean = x[:, t].mean(axis=1) / np.sqrt(variance[:, t] / count)
        z_variance = (x[:, t].var(axis=1) / variance[:, t] - 1) / np.sqrt(2 / count)
        z_multiplier = (m[:, t].mean(axis=1) - 1) / (m[:, t].std(axis=1) / np.sqrt(count))
        assert np.abs([z_mean, z_variance, z_multiplier]).max() < 4.0
    shock = x[:, 10] - np.exp(-reversion / 12) * x[:, 9]
    z_correlation = (np.arctanh(np.corrcoef(shock) - np.eye(5)) - np.arctanh(CORRELATION - np.eye(5))) * np.sqrt(count)
    assert np.abs(z_correlation).max() < 4.0
    serial = [np.corrcoef(shock[f], x[f, 9])[0, 1] for f in range(5)]
    assert np.abs(serial).max() * np.sqrt(count) < 4.0


def test_zero_volatility_is_the_base_path():
    arguments = MARKET | {"volatility_per_year": np.zeros(5)}
    m = factor_multipliers(seed=1, first_scenario=0, scenario_count=3, month_count=4, **arguments)
    np.testing.assert_array_equal(m, 1.0)


def test_singular_correlation_moves_factors_together():
    arguments = MARKET | {"correlation": np.ones((5, 5)), "mean_reversion_per_year": np.zeros(5)}
    m = factor_multipliers(seed=1, first_scenario=0, scenario_count=50, month_count=3, **arguments)
    per_volatility = (np.log(m[:, 0]).T / arguments["volatility_per_year"] + arguments["volatility_per_year"] / 24).T
    assert np.ptp(per_volatility[0]) > 0.1
    np.testing.assert_allclose(per_volatility, np.broadcast_to(per_volatility[0], (5, 50)), rtol=1e-9, atol=1e-12)


def refused_correlations():
    asymmetric, diagonal, indefinite = CORRELATION.copy(), CORRELATION.copy(), np.eye(5)
    asymmetric[0, 1] = 0.5
    diagonal[2, 2] = 0.9
    for i, j in ((0, 1), (0, 2)):
        indefinite[i, j] = indefinite[j, i] = 0.9
    indefinite[1, 2] = indefinite[2, 1] = -0.9
    return [
        (asymmetric, r"correlation\[0, 1\]: is not symmetric"),
        (diagonal, r"correlation\[2, 2\]: is not 1 on the diagonal"),
        (indefinite, r"smallest eigenvalue -0.8"),
        (np.eye(4), r"correlation: has shape \(4, 4\)"),
    ]


@pytest.mark.parametrize(("correlation", "message"), refused_correlations())
def test_correlation_is_refused(correlation, message):
    arguments = MARKET | {"correlation": correlation}
    with pytest.raises(InvalidInputError, match=message):
        factor_multipliers(seed=1, first_scenario=0, scenario_count=1, month_count=1, **arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed: is -1"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.0}, "seed: is 1.0; pass an integer"),
        ({"scenario_count": 0}, "scenario_count"),
        ({"first_scenario": 2**32}, "first_scenario"),
    ],
)
def test_range_is_refused(change, message):
    arguments = {"seed": 1, "first_scenario": 0, "scenario_count": 1, "month_count": 1} | MARKET | change
    with pytest.raises(InvalidInputError, match=message):
        factor_multipliers(**arguments)


@given(
    seeds,
    st.integers(0, 2**32 - 50),
    st.lists(st.sampled_from([0.0, 1e-12, 0.001, 0.04, 0.5, 0.999, 1.0]), min_size=1, max_size=5),
)
def test_default_months_equal_twin(seed, first, hazards):
    arguments = {
        "seed": seed,
        "first_scenario": first,
        "scenario_count": 40,
        "default_hazard_per_year_frac": np.array(hazards),
        "streams": np.arange(len(hazards)) * 1_000_003 + 17,
    }
    months, twin = default_months(**arguments), reference.default_months(**arguments)
    plain = (np.array(hazards) == 0.0) | (np.array(hazards) > 1e-9)
    assert months.dtype == np.int32
    # log1p and the twin's power may round to either side of a whole month, once in many thousand draws.
    assert np.abs(months.astype(np.int64) - twin)[plain].max(initial=0) <= 1
    assert (months[plain] == twin[plain]).mean() > 0.98 if plain.any() else True
    assert (months[np.array(hazards) == 0.0] == NEVER).all()
    assert (months[np.array(hazards) == 1.0] == 0).all()


@given(seeds, st.lists(st.sampled_from([0.001, 0.04, 0.5]), min_size=1, max_size=3), st.integers(1, 30))
def test_default_months_with_a_hazard_multiplier_equal_twin(seed, hazards, months):
    multiplier = np.random.default_rng(seed % 2**32).choice([0.0, 0.25, 1.0, 8.0], (months, 40))
    arguments = {
        "seed": seed,
        "first_scenario": 3,
        "scenario_count": 40,
        "default_hazard_per_year_frac": np.array(hazards),
        "streams": np.arange(len(hazards)) + 17,
    }
    given_one = default_months(**arguments, hazard_multiplier=np.ones((months, 40)))
    np.testing.assert_array_equal(given_one, default_months(**arguments))
    multiplied = default_months(**arguments, hazard_multiplier=multiplier)
    twin = reference.default_months(**arguments, hazard_multiplier=multiplier)
    assert (multiplied == twin).mean() > 0.98


def test_a_hazard_multiplier_multiplies_the_hazard():
    count, hazard = 100_000, 0.04
    multiplier = np.ones((60, count))
    multiplier[12:36] = 5.0
    multiplier[36:48] = 0.0
    months = default_months(
        seed=2,
        first_scenario=0,
        scenario_count=count,
        default_hazard_per_year_frac=[hazard],
        streams=[1],
        hazard_multiplier=multiplier,
    )[0]
    for month, years in ((12, 1), (36, 11), (48, 11), (60, 12), (120, 17)):
        expected = 1 - (1 - hazard) ** years
        assert abs((months < month).mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / count)
    assert not ((months >= 36) & (months < 48)).any()


@pytest.mark.parametrize(
    ("multiplier", "message"),
    [
        (np.ones((3, 4)), r"hazard_multiplier: has shape \(3, 4\); pass shape \(3, 5\)"),
        (np.ones(5), r"hazard_multiplier: has shape \(5,\)"),
        (np.array([[1.0, 1.0, -0.5, 1.0, 1.0]]), r"hazard_multiplier\[0, 2\]: is -0.5"),
    ],
)
def test_hazard_multiplier_is_refused(multiplier, message):
    with pytest.raises(InvalidInputError, match=message):
        default_months(
            seed=1,
            first_scenario=0,
            scenario_count=5,
            default_hazard_per_year_frac=[0.1],
            streams=[1],
            hazard_multiplier=multiplier,
        )


def test_default_months_follow_the_hazard():
    count, hazard = 100_000, np.array([0.04, 0.11])
    months = default_months(
        seed=9, first_scenario=0, scenario_count=count, default_hazard_per_year_frac=hazard, streams=np.array([3, 8])
    )
    for k, h in enumerate(hazard):
        for year in (1, 5):
            expected = 1 - (1 - h) ** year
            z = ((months[k] < 12 * year).mean() - expected) / np.sqrt(expected * (1 - expected) / count)
            assert abs(z) < 4.0
        first_month = 1 - (1 - h) ** (1 / 12)
        assert abs((months[k] == 0).mean() - first_month) < 4 * np.sqrt(first_month / count)
    assert abs(np.corrcoef(months < 60)[0, 1]) < 4 / np.sqrt(count)


def test_a_tenant_keeps_its_months_when_others_come():
    def draw(streams, first=0, count=500):
        return default_months(
            seed=3,
            first_scenario=first,
            scenario_count=count,
            default_hazard_per_year_frac=np.full(len(streams), 0.05),
            streams=np.array(streams),
        )

    both = draw([7, 4_000_000_000])
    np.testing.assert_array_equal(draw([4_000_000_000])[0], both[1])
    np.testing.assert_array_equal(draw([5, 7])[1], both[0])
    np.testing.assert_array_equal(np.hstack([draw([7], 0, 123), draw([7], 123, 377)])[0], both[0])
    assert (both[0] != both[1]).mean() > 0.9
    with pytest.raises(InvalidInputError, match="streams: 7 is given to two tenants"):
        draw([7, 7])


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(0, 10), st.sampled_from([0.0, 0.15, 1.0, 2.5]))
def test_hashprice_paths_equal_twin(seed, months, lag, elasticity):
    rng = np.random.default_rng(seed)
    arguments = {
        "base_btc_usd": rng.uniform(1e3, 1e6, months),
        "base_network_eh_s": rng.uniform(10.0, 3e3, months),
        "subsidy_btc": rng.choice([0.0, 1.5625, 3.125], months),
        "fee_share_frac": rng.uniform(0.0, 0.2, months),
        "multipliers": np.exp(rng.normal(0.0, 0.7, (len(FACTORS), months, 5))),
        "network_price_elasticity": elasticity,
        "network_lag_months": lag,
    }
    np.testing.assert_allclose(hashprice_paths(**arguments), reference.hashprice_paths(**arguments), rtol=1e-13)


def test_network_follows_the_price_with_a_lag():
    multipliers = np.ones((5, 4, 1))
    multipliers[0, 1:] = 2.0
    paths = hashprice_paths(
        base_btc_usd=np.full(4, 1e5),
        base_network_eh_s=np.full(4, 1e3),
        subsidy_btc=np.full(4, 3.125),
        fee_share_frac=np.zeros(4),
        multipliers=multipliers,
        network_price_elasticity=1.0,
        network_lag_months=2,
    )
    np.testing.assert_allclose(paths[:, 0] / paths[0, 0], [1.0, 2.0, 2.0, 1.0])
