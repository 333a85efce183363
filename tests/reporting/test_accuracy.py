"""The table of rules tells good grids from bad ones."""

import numpy as np

import bayesmix as bm
from bayesmix.reporting.compare_rules import compare_rules, plot_rules

AT = {"mean[cl]": -0.2, "mean[loc]": 2.0, "sd[cl]": 0.4, "sd[loc]": 1.8}


def test_errors_fall_with_nodes_and_centring():
    data = bm.examples.electricity()
    model = bm.MixedLogit("cl + loc", random=[bm.Normal("cl", "loc")])
    rules = [bm.monte_carlo(32), bm.monte_carlo(512), bm.sobol(32), bm.centred(bm.sobol(32))]
    table = compare_rules(model, data, AT, rules, rng=1)
    few, many, sobol, centred = table["rms"]
    assert many < few / 2.5
    assert centred < sobol < few
    assert list(table["nodes"]) == [32, 512, 32, 32]
    assert list(table["rule"]) == ["monte carlo", "monte carlo", "sobol", "centred sobol"]
    rules = [bm.gauss_hermite(40), bm.centred(bm.gauss_hermite(9))]
    rules += [bm.centred(bm.halton(32)), bm.centred(bm.sobol(32), moments=True)]
    exact = compare_rules(model, data, AT, rules, rng=2)
    assert exact["rms"].iloc[0] < 1e-3
    assert list(exact["rule"]) == [
        "gauss hermite",
        "centred gauss hermite",
        "centred halton",
        "centred sobol with moments",
    ]
    axis = plot_rules(table).axes[0]
    assert np.allclose(axis.get_lines()[0].get_ydata(), [few, many])
    assert axis.get_xticks().tolist() == [32, 64, 128, 256, 512]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["32", "64", "128", "256", "512"]
