"""Rankings become sequences of choices: their probability, their demand, what is refused."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood

ROLES = {"person": "who", "situation": "task", "alternative": "alt", "ranked": "rank"}


def ranking_frame(rng, persons=40, tasks=2, alternatives=5, *, taste=0.0):
    """Full rankings by ``v = (1 + taste u_i) x - 0.5 y``, plus Gumbel errors."""
    rows = persons * tasks * alternatives
    frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["x", "y"])
    frame["who"] = np.repeat(np.arange(persons), tasks * alternatives)
    frame["task"] = np.repeat(np.arange(persons * tasks), alternatives)
    frame["alt"] = np.tile(np.arange(alternatives), persons * tasks)
    beta = 1.0 + taste * rng.normal(size=persons)[frame["who"]]
    utility = beta * frame["x"] - 0.5 * frame["y"] + rng.gumbel(size=rows)
    frame["rank"] = (-utility).groupby(frame["task"]).rank().astype(int)
    return frame


def cut(frame, rng):
    """Partial rankings: 1 to all ranks of each situation are kept."""
    depth = rng.integers(1, frame["rank"].max() + 1, frame["task"].max() + 1)
    return frame.assign(rank=frame["rank"].where(frame["rank"] <= depth[frame["task"]]))


def plackett_luce(ranks, v, outside):
    """``log P`` of one ranking by definition: each choice out of what is left."""
    total, left = 0.0, list(range(len(v)))
    for j in sorted((j for j in left if ranks[j] > 0), key=lambda j: ranks[j]):
        total += v[j] - np.log(np.exp(v[left]).sum() + outside)
        left.remove(j)
    if outside and left:
        total -= np.log(np.exp(v[left]).sum() + 1.0)
    return total


@pytest.mark.parametrize("outside", [False, True])
def test_probability_is_that_of_the_ranking(outside):
    """Multinomial logit, partial rankings, some without any rank where there is an outside."""
    rng = np.random.default_rng(1)
    frame = cut(ranking_frame(rng), rng)
    if outside:
        frame.loc[frame["task"].isin([0, 7, 79]), "rank"] = np.nan
    data = bm.ChoiceData.from_long(frame, **ROLES, outside_option=outside)
    problem = bind(bm.MixedLogit("x + y"), data)
    grid = population_grid(bm.gauss_hermite(1), 0, problem.n_persons)
    logp, _ = Likelihood(problem, grid).by_person(np.array([0.8, -0.3]))
    expected = np.zeros(40)
    for (who, _), rows in frame.groupby(["who", "task"]):
        v = (0.8 * rows["x"] - 0.3 * rows["y"]).to_numpy()
        expected[who] += plackett_luce(rows["rank"].fillna(0).to_numpy(), v, float(outside))
    np.testing.assert_allclose(logp, expected, rtol=1e-12)


def test_without_persons_the_mixture_integrates_over_each_ranking():
    rng = np.random.default_rng(2)
    frame = cut(ranking_frame(rng), rng)
    data = bm.ChoiceData.from_long(frame, **(ROLES | {"person": None}))
    assert data.n_persons == 80
    problem = bind(bm.MixedLogit("x + y", random=bm.Normal("x")), data)
    grid = population_grid(bm.gauss_hermite(9), 1, problem.n_persons)
    theta = np.array([0.8, 1.2, -0.3])
    logp, _ = Likelihood(problem, grid).by_person(theta)
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    for task, rows in list(frame.groupby("task"))[:20]:
        ranks = rows["rank"].fillna(0).to_numpy()
        each = [
            np.exp(plackett_luce(ranks, ((0.8 + 1.2 * u) * rows.x - 0.3 * rows.y).to_numpy(), 0.0))
            for u in nodes
        ]
        assert logp[task] == pytest.approx(np.log(weights @ each / weights.sum()), rel=1e-11)


def test_the_order_of_rows_and_a_certain_last_choice_do_not_matter():
    frame = ranking_frame(np.random.default_rng(3), 5, 1, 3)
    data = bm.ChoiceData.from_long(frame, **ROLES)
    mixed = bm.ChoiceData.from_long(frame.sample(frac=1.0, random_state=1), **ROLES)
    pd.testing.assert_frame_equal(data.frame, mixed.frame)
    assert data.n_situations == 10  # the third choice of three is certain
    assert data.frame["stage"].tolist() == [1, 1, 1, 2, 2] * 5
    top = bm.ChoiceData.from_long(
        frame.assign(rank=frame["rank"].where(frame["rank"] < 3)), **ROLES
    )
    pd.testing.assert_frame_equal(data.frame, top.frame)
    assert "rank" not in data.frame.columns


def test_first_ranks_alone_are_choices():
    frame = ranking_frame(np.random.default_rng(4))
    frame["choice"] = (frame["rank"] == 1).astype(int)
    chosen = bm.ChoiceData.from_long(frame, **(ROLES | {"ranked": None}), chosen="choice")
    ranked = bm.ChoiceData.from_long(frame.drop(columns="choice"), **ROLES)
    for first in (
        ranked.first_choices(),
        bm.ChoiceData.from_long(
            frame.assign(rank=frame["rank"].where(frame["rank"] == 1)), **ROLES
        ),
    ):
        np.testing.assert_array_equal(first.chosen_row, chosen.chosen_row)
        np.testing.assert_array_equal(first.person_start, chosen.person_start)
    np.testing.assert_array_equal(
        ranked.summary().alternatives["share"], chosen.summary().alternatives["share"]
    )


def test_recovery_and_what_ranks_add():
    frame = ranking_frame(np.random.default_rng(5), 300, 2, 5, taste=0.8)
    data = bm.ChoiceData.from_long(frame, **ROLES)
    model = bm.MixedLogit("x + y", random=bm.Normal("x"))
    fits = [
        bm.msle(model, d, grid=bm.centred(bm.sobol(64)), starts=1, rng=1)
        for d in (data, data.first_choices())
    ]
    truth = pd.Series({"mean[x]": 1.0, "sd[x]": 0.8, "fixed[y]": -0.5})
    for fit in fits:
        assert ((fit.params - truth[fit.params.index]).abs() < 3 * fit.std_errors).all()
    assert (fits[0].std_errors < 0.8 * fits[1].std_errors).all()


@pytest.fixture(scope="module")
def ranked_fit():
    rng = np.random.default_rng(6)
    data = bm.ChoiceData.from_long(cut(ranking_frame(rng), rng), **ROLES)
    model = bm.MixedLogit("x + y", random=bm.Normal("x"))
    return data, bm.msle(model, data, grid=bm.centred(bm.sobol(64)), starts=1, rng=1)


def test_demand_counts_first_choices_once(ranked_fit):
    """As of the first choices alone, at the same parameters."""
    data, fit = ranked_fit
    first, options = data.first_choices(), {"draws": 5, "rng": 3, "nodes": 32}
    for whole, part in (
        (bm.shares(fit, data, **options), bm.shares(fit, first, **options)),
        (bm.elasticities(fit, data, "y", **options), bm.elasticities(fit, first, "y", **options)),
        (bm.diversion(fit, data, **options), bm.diversion(fit, first, **options)),
        (
            bm.shares(fit, data, scenario=data.without(0), **options),
            bm.shares(fit, first, scenario=first.without(0), **options),
        ),
    ):
        np.testing.assert_array_equal(whole["estimate"], part["estimate"])
    assert len(fit.predict(rng=1)) == first.n_rows


def test_simulated_rankings_have_the_law_of_the_model(ranked_fit):
    """The second choices given the first: by their probabilities, out of what is left."""
    frame = ranking_frame(np.random.default_rng(7), 4000, 1, 3)
    frame[["x", "y"]] = np.tile([[0.5, 0.0], [0.0, 0.0], [-0.5, 1.0]], (4000, 1))
    data = bm.ChoiceData.from_long(frame, **ROLES)
    drawn = bm.simulate_choices(
        bm.MixedLogit("x + y"), {"fixed[x]": 1.0, "fixed[y]": 0.3}, data, rng=1
    )
    assert drawn.n_situations == data.n_situations
    code = drawn.alternative_code[drawn.chosen_row].reshape(-1, 2)
    found = np.array([np.mean((code == pair).all(axis=1)) for pair in ((0, 1), (1, 0), (2, 1))])
    w = np.exp([0.5, 0.0, -0.2])
    p = w / w.sum()
    expected = np.array([p[i] * w[j] / (w.sum() - w[i]) for i, j in ((0, 1), (1, 0), (2, 1))])
    assert (np.abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / 4000)).all()


def test_what_rankings_refuse(ranked_fit):
    data, fit = ranked_fit
    with pytest.raises(DataError, match="give ranks, with_ranks"):
        data.with_choices(data.chosen_row)
    with pytest.raises(SpecificationError, match="moments are not those of the population"):
        bm.msm(fit.model, data)


@pytest.mark.parametrize("outside", [False, True])
def test_ranks_of_the_same_rows_are_the_same_rankings(outside):
    """Whole numbers of any type; with an outside option nothing need be ranked."""
    rng = np.random.default_rng(9)
    frame = cut(ranking_frame(rng, 5), rng)
    ranks = frame["rank"].fillna(0).to_numpy(copy=True)
    if outside:
        frame.loc[frame["task"] == 3, "rank"], ranks[frame["task"] == 3] = np.nan, 0
    data = bm.ChoiceData.from_long(frame, **ROLES, outside_option=outside)
    for given in (ranks, ranks.astype(np.uint8), list(ranks)):
        again = data.with_ranks(given)
        pd.testing.assert_frame_equal(again.frame, data.frame)
        np.testing.assert_array_equal(again.chosen_row, data.chosen_row)


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        (
            [1, 1, 2],
            r"situation 1 of person 1 gives rank 1 to alternatives 0, 1: ties .*'ranks'.* \(0: ",
        ),
        ([1, 3, 0], r"situation 1 of person 1 ranks up to 3, but no row has rank 2: check argum"),
        ([0, 0, 0], "situation 1 of person 1 has no ranked row: check argument 'ranks'"),
        ([1, 2], r"argument 'ranks' has shape \(5,\); expected \(6,\): a rank for each row of"),
        ([1, 2, -3], r"holds -3 in 1 rows \(rows 5\); expected whole numbers"),
        ([1, 1.5, 2], r"holds 1.5 in 1 rows \(rows 4\); .* 0 where a row is not ranked"),
        ([1, np.nan, 2], "holds nan in 1 rows"),
        ([1, 2, "3"], "argument 'ranks' holds '1', '2', '3'; expected whole numbers"),
    ],
)
def test_ranks_are_checked_wherever_they_are_given(ranks, message):
    data = bm.ChoiceData.from_long(ranking_frame(np.random.default_rng(9), 2, 1, 3), **ROLES)
    with pytest.raises(DataError, match=message):
        data.with_ranks([1, 2, 3, *ranks])


def test_a_column_that_rankings_would_make_is_not_overwritten():
    frame = ranking_frame(np.random.default_rng(9), 2, 1, 3)
    frame = frame.assign(chosen=(frame["rank"] == 1).astype(int)).drop(columns="rank")
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "chosen"}
    for stage in (np.arange(6), pd.array([pd.NA, 1, 1, 1, 1, 1], dtype="Int64")):
        own = bm.ChoiceData.from_long(frame.assign(stage=stage), **roles)
        with pytest.raises(DataError, match="a column 'stage', but the data have one already"):
            own.with_ranks([1, 2, 3, 1, 2, 3])
    data = bm.ChoiceData.from_long(frame, **roles).with_ranks([1, 2, 3, 3, 2, 1])
    again = data.first_choices().with_ranks([1, 2, 3, 3, 2, 1])
    pd.testing.assert_frame_equal(again.frame, data.frame)


def test_wide_rankings():
    frame = pd.DataFrame(
        {"bus_x": [1.0, 2.0], "car_x": [0.0, 1.0], "bus_r": [2, 1], "car_r": [1, np.nan]}
    )
    data = bm.ChoiceData.from_wide(
        frame,
        alternatives=["bus", "car"],
        varying={"x": "{alternative}_x"},
        ranked="{alternative}_r",
    )
    assert data.frame["alternative"][data.chosen_row].tolist() == ["car", "bus"]


@pytest.mark.parametrize(
    ("ranks", "options", "message"),
    [
        ([1, 1, 2], {}, r"situation 1 of person 1 gives rank 1 to alternatives 0, 1: ties"),
        ([1, 2, 2], {}, r"gives rank 2 to alternatives 1, 2: ties are no ranking; check column"),
        ([1, 3, None], {}, r"situation 1 of person 1 ranks up to 3, but no row has rank 2: check"),
        ([3, 1, None], {"outside_option": True}, "rank 2: .* the rank of the outside option, give"),
        ([2, 3, None], {}, "no row has rank 1: check column of ranks 'rank'$"),
        ([0, 1, 2], {}, r"holds 0.0 in 1 rows \(rows 2\); .* make it missing where a row was not"),
        ([1.5, 1, 2], {}, "holds 1.5 in 1 rows"),
        ([np.inf, 1, 2], {}, "holds inf in 1 rows"),
        ([None, None, None], {}, "situation 1 of person 1 has no ranked row: check .*drop it"),
        (["a", "b", "c"], {}, "holds 1, 2, 'a' and 2 more; expected 1 for the best"),
        ([1, 2, 3], {"availability": "here"}, "is ranked but not available"),
        ([1, 2, 3], {"chosen": "here"}, "give the column of choices, chosen=, or that of ranks"),
    ],
)
def test_bad_rankings_are_named(ranks, options, message):
    frame = pd.DataFrame(
        {"who": [0] * 2 + [1] * 4, "task": [0] * 2 + [1] * 3 + [2], "alt": [0, 1, 0, 1, 2, 0]}
    )
    frame["rank"] = pd.Series([1, 2, *ranks, 1], dtype=object)
    frame["here"] = [1, 1, 1, 0, 1, 1]
    with pytest.raises(DataError, match=message):
        bm.ChoiceData.from_long(frame, **(ROLES | options))


def test_made_columns_do_not_replace_the_users():
    frame = ranking_frame(np.random.default_rng(8), 5)
    with pytest.raises(DataError, match="but 'stage' exists already: rename it"):
        bm.ChoiceData.from_long(frame.assign(stage=0), **ROLES)
