"""The choice of a grid: what is tried first, what next, tolerances kept or said to be missed."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from bayesmix import Normal, Triangular
from bayesmix.accuracy import refine
from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.refine import Tolerance, first_rule, next_rule, nodes_needed
from bayesmix.classical.error_check import relative_errors
from bayesmix.classical.information import information_at, root_information
from bayesmix.classical.msle import msle
from bayesmix.integration.descriptions import Centred, Sobol, Trapezoid
from bayesmix.integration.rules import centred, gauss_hermite, sobol, trapezoid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise.anchored_scores import anchored_scores
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

NAMES = ("x", "y", "z", "w")


@cache
def problem(size, situations, law=Normal):
    terms = NAMES[:size]
    model = MixedLogit(" + ".join(terms), random=law(*terms))
    at = {f"mean[{t}]": 0.5 for t in terms} | {f"sd[{t}]": 1.0 for t in terms}
    return bind(model, simulated(model, at, 300, situations, columns=terms))


def certificate(noise, *, bias=0.0, sd=0.0, nodes=64, reference=64):
    empty = pd.DataFrame({"estimate": [], "low": [], "high": []})
    return Certificate(
        error=0.0,
        error_interval=(0.0, 0.0),
        bias=bias,
        sd=sd,
        shift=empty,
        pareto_k=pd.Series(dtype=float),
        nodes=nodes,
        reference_nodes=reference,
        evaluations=9,
        seconds=0.0,
        noise=pd.Series(noise),
    )


@pytest.mark.parametrize("situations", [1, 4])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_few_dimensions_begin_with_quadrature_and_go_on_to_draws(size, situations):
    rule, why = first_rule(problem(size, situations))
    product = situations == 1 and size < 3
    assert ("equally spaced" if product else "centred on persons") in why
    tried, missed = [rule], replace(certificate([1.0]), error=9.0)
    while not isinstance(getattr(rule, "rule", None), Sobol):
        rule, why = next_rule(problem(size, situations), rule, missed, Tolerance())
        tried.append(rule)
        draws = isinstance(getattr(rule, "rule", None), Sobol)
        assert (f"{rule.rule.nodes} nodes" if draws else str(rule)) in why
    # As many draws as the reference's noise asks for: coarser ones than the last quadrature's
    # would be climbed on anew.
    assert tried[-1] == centred(sobol(refine.MOST_NODES), population=0.125, moments=True)
    near = replace(certificate([0.04]), error=9.0, bias=np.nan, sd=np.nan)
    fewer = next_rule(problem(size, situations), tried[-2], near, Tolerance())[0]
    assert fewer.rule.nodes == 64 * np.ceil(2**1.25)
    centred_ones = [r.rule.per_dimension for r in tried[:-1] if isinstance(r, Centred)]
    spaced = [r.per_dimension for r in tried[:-1] if isinstance(r, Trapezoid)]
    assert len(spaced) + len(centred_ones) == len(tried) - 1
    assert len(spaced if product else centred_ones) >= 3
    for points in (spaced, centred_ones):
        assert points == sorted(set(points))


def test_large_products_are_for_what_is_identified():
    """Without standard errors there is none of the shifts that they would make smaller."""
    missed = replace(certificate([1.0]), error=9.0)
    shift = pd.DataFrame({"estimate": [1.0], "low": [0.9], "high": [1.1]}, index=["mean[x]"])
    last = centred(gauss_hermite(refine.CENTRED_POINTS[3][-1]))
    single, panel = problem(3, 1), problem(3, 4)
    known = replace(missed, shift=shift)
    assert next_rule(single, last, known, Tolerance())[0] == trapezoid(16)
    assert isinstance(next_rule(single, last, missed, Tolerance())[0].rule, Sobol)
    assert isinstance(next_rule(panel, last, known, Tolerance())[0].rule, Sobol)


def test_draws_do_not_take_the_place_of_quadrature_for_standard_errors():
    here, tolerance = problem(2, 1), Tolerance()
    last = refine.POINTS[2][-1]
    poor = replace(
        certificate([1.0]),
        shift=pd.DataFrame({"estimate": [0.0], "low": [0.0], "high": [0.0]}),
        std_errors=pd.DataFrame({"robust": [0.5], "hessian": [0.1]}),
    )
    assert poor.within(tolerance.loglik, tolerance.estimates)
    assert not tolerance.met_by(poor)
    assert next_rule(here, trapezoid(last), poor, tolerance)[0] is None


def test_many_dimensions_begin_with_centred_draws():
    for situations in (1, 4):
        rule, why = first_rule(problem(4, situations))
        assert rule == centred(sobol(64))
        assert "64 nodes a person, centred" in why


def test_as_many_nodes_as_noise_and_bias_ask_for():
    tolerance = Tolerance(estimates=0.05, loglik=0.5)
    # Noise that falls like S^-0.8: where it is 8 times too large, 8^1.25 as many nodes.
    assert nodes_needed(certificate([0.02, 0.2]), tolerance) == 64 * np.ceil(10**1.25)
    assert nodes_needed(certificate([0.01], bias=-1.0, sd=0.5), tolerance) == 64 * np.ceil(4**1.25)
    assert nodes_needed(certificate([0.2], nodes=512), tolerance) >= 768
    assert nodes_needed(certificate([np.nan, 0.01]), tolerance) == 128
    assert nodes_needed(certificate([np.nan], nodes=128), tolerance) == 192


def test_a_coarse_certificate_is_not_believed_too_far():
    gross = replace(certificate([9.0]), error=2.6)
    rule, _ = next_rule(problem(1, 2), centred(sobol(64)), gross, Tolerance())
    assert rule.rule.nodes == 64 * refine.GROWTH
    single, _ = next_rule(problem(1, 1), centred(sobol(64)), gross, Tolerance())
    assert single.rule.nodes == refine.MOST_NODES


def test_time_is_spent_on_what_it_can_buy():
    """Where the most nodes do not do, so many as bring estimates within a few tolerances."""
    here, rule = problem(1, 2), centred(sobol(4096), moments=True)
    far = certificate([0.2], nodes=4096, reference=1024)
    wider = Tolerance(refine.OUT_OF_REACH * 0.05, 0.5)
    assert nodes_needed(far, Tolerance()) > refine.MOST_NODES
    shifts = pd.DataFrame({"estimate": [0.3], "low": [0.0], "high": [0.6]}, index=["mean[x]"])
    finer, _ = next_rule(here, rule, replace(far, shift=shifts), Tolerance())
    assert finer.rule.nodes == nodes_needed(far, wider) < refine.MOST_NODES
    none, words = next_rule(here, rule, replace(far, shift=shifts / 3), Tolerance())
    assert none is None
    assert f"would be with {refine.MOST_NODES} nodes" in words
    early = certificate([0.2], nodes=512, reference=512)
    finer, _ = next_rule(here, centred(sobol(512), moments=True), early, Tolerance())
    assert finer.rule.nodes == refine.ENOUGH_NODES


def test_there_is_an_end():
    most = centred(sobol(refine.MOST_NODES), moments=True)
    assert next_rule(problem(1, 2), most, certificate([9.0]), Tolerance())[0] is None
    almost = centred(sobol(refine.MOST_NODES - 64), moments=True)
    last, _ = next_rule(problem(1, 2), almost, certificate([9.0]), Tolerance())
    assert last.rule.nodes == refine.MOST_NODES


@pytest.mark.parametrize(("size", "situations"), [(1, 1), (2, 6)])
@pytest.mark.parametrize("tolerance", [Tolerance(), Tolerance(0.01, 0.02)], ids=["default", "fine"])
def test_the_fit_meets_the_tolerance_and_says_on_what_grid(size, situations, tolerance):
    here = problem(size, situations)
    fit = msle(here.model, here.data, starts=1, tolerance=tolerance, rng=1)
    assert fit.integration.within(tolerance.loglik, tolerance.estimates)
    assert "Grid chosen: " in fit.message
    assert isinstance(fit.grid.rule, Trapezoid if situations == 1 else Trapezoid | Centred)
    assert str(fit.grid.rule) in fit.message
    assert fit.integration.std_error < tolerance.std_errors
    if tolerance == Tolerance(0.01, 0.02) and situations > 1:
        assert fit.integration.nodes > 81


def test_a_finer_tolerance_takes_more_nodes_and_ends_near_the_exact_estimates():
    here = problem(2, 6)
    coarse, fine = (
        msle(here.model, here.data, starts=1, tolerance=t, rng=1)
        for t in (Tolerance(0.5, 5.0), Tolerance(0.005, 0.02))
    )
    assert coarse.grid.size == 81 < fine.grid.size
    exact = msle(here.model, here.data, grid=gauss_hermite(64), starts=1)
    off = (fine.params - exact.params) / exact.std_errors
    assert np.abs(off).max() < 3 * 0.005
    assert fine.loglik == pytest.approx(exact.loglik, abs=0.04)


@pytest.mark.parametrize("tolerance", [Tolerance(0.5, 5.0), Tolerance(1e-9, 1e-9)])
def test_what_is_returned_is_no_draft(monkeypatch, tolerance):
    """Curvature and scores are of more nodes than those of the first certificate.

    Of laws that are no links, whose posteriors cannot be followed.
    """
    monkeypatch.setattr(refine, "MOST_NODES", 128)
    here = problem(4, 6, Triangular)
    fit = msle(here.model, here.data, starts=1, tolerance=tolerance, rng=1)
    assert fit.grid.size == (64 if tolerance.loglik > 1 else 128)
    final = information_at(Likelihood(here, fit.grid), fit.theta)
    if fit.integration.std_errors is None:  # where estimates miss the tolerance
        np.testing.assert_allclose(fit.information.hessian, final.hessian, rtol=1e-9)
        np.testing.assert_allclose(fit.information.scores, final.scores, rtol=1e-9, atol=1e-12)
    else:
        off = relative_errors(here.parameters, fit.theta, fit.information, final)
        assert off.abs().to_numpy().max() < 0.05
    draft = information_at(Likelihood(here, fit.grid), fit.theta, draft=True)
    assert not np.allclose(fit.information.hessian, draft.hessian, rtol=1e-6)
    assert not np.allclose(fit.information.scores, draft.scores, rtol=1e-3)


def test_a_root_of_scores_has_a_curvature_of_its_own_place():
    """Of links: on a grid as fine as takes no time, whatever the tolerance."""
    here = problem(4, 6)
    fit = msle(here.model, here.data, starts=1, tolerance=Tolerance(0.5, 5.0), rng=1)
    assert fit.grid.size == refine.MOST_ROOT_NODES
    likelihood = Likelihood(here, fit.grid)
    logp, scores = anchored_scores(here, fit.grid)
    assert fit.loglik == pytest.approx(logp.sum(), abs=1e-9)
    np.testing.assert_allclose(fit.information.scores, scores, rtol=1e-9, atol=1e-12)
    final, _ = root_information(likelihood, fit.theta, scores)
    errors = [np.sqrt(np.diag(np.linalg.inv(i.hessian))) for i in (fit.information, final)]
    np.testing.assert_allclose(errors[0], errors[1], rtol=0.02)
    step = np.linalg.solve(final.hessian, scores.sum(axis=0))
    assert np.abs(step / errors[1]).max() < 0.01


def test_a_tolerance_that_cannot_be_met_is_said_to_be_missed(monkeypatch):
    monkeypatch.setattr(refine, "MOST_NODES", 128)
    here = problem(4, 6)
    fit = msle(here.model, here.data, starts=1, tolerance=Tolerance(1e-9, 1e-9), rng=1)
    assert fit.grid.size == 128
    assert "above the tolerance even with 128 nodes a person: see fit.integration" in fit.message
    assert "Grid chosen" not in fit.message
    assert fit.converged
