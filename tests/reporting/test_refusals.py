"""Reports of what is no result, and draws that are no numbers: named, and never averaged over."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.reporting.diagnostics import convergence
from bayesmix.reporting.forest import plot_forest


@pytest.mark.parametrize("verb", [lambda t: bm.compare({"NUTS": t}), convergence,
                                  lambda t: plot_forest({"NUTS": t})])  # fmt: skip
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_draw_that_is_no_number_is_named_by_chain_and_draw(posterior, verb, bad):
    posterior["posterior"]["sd"][1, 17, 2] = bad
    posterior["posterior"]["sd"][1, 40, 0] = bad
    message = r"not a number in 'sd', first at chain 1, draw 17, random loc; 2 of 400 draws"
    with pytest.raises(SpecificationError, match=message):
        verb(posterior)


def test_numbers_of_single_persons_are_no_parameters(posterior):
    posterior["posterior"]["beta"][0, 0, 0, 0] = np.nan
    assert np.isfinite(bm.compare({"NUTS": posterior})).all(axis=None)


def test_thinned_and_selected_posteriors_are_posteriors(posterior):
    one = xr.DataTree.from_dict({"posterior": posterior["posterior"].to_dataset().isel(chain=0)})
    found = bm.compare({"one": one})
    assert found.loc["mean[pf]", ("one", "estimate")] == pytest.approx(
        float(posterior["posterior"]["mean"].sel(random="pf", chain=0).mean())
    )
    last = xr.DataTree.from_dict(
        {"posterior": posterior["posterior"].to_dataset().isel(chain=0, draw=-1)}
    )
    alone = bm.compare({"last": last})[("last", "std error")]
    assert alone.isna().all()
    empty = posterior["posterior"].to_dataset().isel(draw=slice(0))
    with pytest.raises(SpecificationError, match="no draws: its selection of them is empty"):
        bm.compare({"none": xr.DataTree.from_dict({"posterior": empty})})


def wtp(quantiles, values):
    names = ["median" if q == 0.5 else f"quantile {float(q)!r}" for q in quantiles]
    ends = {k: ("statistic", np.asarray(values) + d)
            for k, d in (("estimate", 0.0), ("low", -0.1), ("high", 0.1))}  # fmt: skip
    attrs = {"term": "time", "price": "cost", "law": np.asarray(values)}
    return xr.Dataset(ends, {"statistic": names}, attrs)


def test_the_median_is_drawn_whatever_its_last_bits():
    """0.49999999999999994 is the middle of a grid of quantiles."""
    found = wtp([0.25, np.nextafter(0.5, 0), 0.75], [1.0, 2.0, 4.0])
    axis = bm.plot_wtp(found).axes[0]
    assert [line.get_xdata()[0] for line in axis.get_lines()] == [2.0, 0.0]  # and that of nothing
    with pytest.raises(SpecificationError, match="the same for everybody"):
        bm.plot_wtp(wtp([0.25, 0.5, 0.75], [2.0, np.nextafter(2.0, 3), 2.0]))


DEMAND = [
    ("demand_table", {}), ("plot_matrix", {}), ("plot_price_curve", {}), ("plot_wtp", {}),
    ("plot_diversion", {}), ("to_latex", {}),
]  # fmt: skip


@pytest.mark.parametrize("verb", [name for name, _ in DEMAND])
@pytest.mark.parametrize(
    "what", [3, None, "x", [1, 2], {}, {"a": 3}, np.ones(3), xr.Dataset({"mean": 1.0})]
)
def test_what_is_no_result_is_refused(verb, what):
    with pytest.raises((SpecificationError, TypeError)) as refused:
        getattr(bm, verb)(what)
    assert isinstance(refused.value, SpecificationError)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"digits": -1}, "'digits'"),
        ({"digits": 2.5}, "'digits'"),
        ({"digits": "x"}, "'digits'"),
        ({"intervals": 1}, "'intervals' must be True or False"),
    ],
)
def test_options_of_tables_are_checked(options, words):
    with pytest.raises(SpecificationError, match=words):
        bm.demand_table(wtp([0.25, 0.75], [1.0, 2.0]), **options)


@pytest.mark.parametrize("fits", [3, [1], {}, {"a": 3}, {"a": xr.DataTree()}])
def test_what_cannot_be_compared_is_refused(fits):
    with pytest.raises(SpecificationError):
        bm.compare(fits)


def test_results_of_other_kinds_are_told_from_each_other():
    found = wtp([0.25, 0.75], [1.0, 2.0])
    with pytest.raises(SpecificationError, match="what elasticities or diversion returned"):
        bm.plot_matrix(found)
    with pytest.raises(SpecificationError, match=r"what bm\.price_curve returned"):
        bm.plot_price_curve(found)
    with pytest.raises(SpecificationError, match="these results have no segments"):
        bm.plot_matrix(found, segment="a")
    curve = found.rename(statistic="price")
    with pytest.raises(SpecificationError, match=r"what bm\.wtp returned"):
        bm.plot_wtp(curve)
