"""pyblp on simulated markets: what firms do, then mean utilities for each line of standard input.

Usage: pyblp_markets.py ROWS.npz ANSWERS.npz
"""

import json
import sys
import time

import numpy as np
import pyblp


def problem(rows):
    products = {
        "market_ids": rows["market"],
        "product_ids": rows["product"],
        "firm_ids": rows["firm"],
        "shares": rows["shares"],
        "prices": rows["price"],
        "x": rows["x"],
        "demand_instruments0": rows["instrument"],
    }
    markets, nodes = np.unique(rows["market"]), rows["nodes"]
    agents = {
        "market_ids": np.repeat(markets, nodes.shape[1]),
        "weights": np.tile(rows["weights"], len(markets)),
        "nodes": np.tile(nodes.T, (len(markets), 1)),
    }
    formulas = (pyblp.Formulation("0 + prices + x"), pyblp.Formulation("0 + prices + x"))
    return pyblp.Problem(formulas, products, agent_data=agents)


def main():
    pyblp.options.verbose = False
    rows = np.load(sys.argv[1])
    done = problem(rows).solve(
        sigma=np.diag(rows["sd"]),
        beta=rows["mean"],
        optimization=pyblp.Optimization("return"),
        method="1s",
        check_optimality="gradient",
        iteration=pyblp.Iteration("squarem", {"atol": 1e-14}),
    )
    costs = done.compute_costs()
    np.savez(
        sys.argv[2],
        delta=done.delta,
        costs=costs,
        markups=done.compute_markups(costs=costs),
        diversion=done.compute_diversion_ratios(),
        prices=done.compute_prices(
            firm_ids=rows["merged"],
            costs=costs,
            iteration=pyblp.Iteration("simple", {"atol": 1e-13}),
        ),
    )
    iteration = pyblp.Iteration("squarem", {"atol": 1e-13})
    outside = 1 - np.bincount(rows["market"], rows["shares"])
    start = np.log(rows["shares"]) - np.log(outside[rows["market"]])
    print(json.dumps({"version": pyblp.__version__}), flush=True)
    for _ in sys.stdin:
        done._delta = start[:, None]  # where searches start: a plain logit's, as bayesmix's do
        begun = time.perf_counter()
        done.compute_delta(iteration=iteration)
        print(json.dumps({"seconds": time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    main()
