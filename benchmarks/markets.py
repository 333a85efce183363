"""Constants that match shares, and firms, against pyblp at the same nodes and parameters.

200 markets of 20 products and 500 nodes, an outside option, two normal coefficients: mean utilities
are to be found in under a second on two cores, and in half of pyblp's time, in turns. Mean
utilities, costs, diversion and the prices of a merger are compared on markets of fewer nodes.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import xarray as xr
from _common import PEERS, console, options, peer_python, table, timed, verdict

import bayesmix as bm
from bayesmix.centring.people import People
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.market_shares import given_shares
from bayesmix.data.segments import goods_of, segments_of
from bayesmix.demand.draws import Uncertainty
from bayesmix.demand.options import CheckedOptions
from bayesmix.demand.sample import Sample
from bayesmix.likelihood.bind import bind_sets
from bayesmix.likelihood.persons import GivenNodes
from bayesmix.markets.conduct import diversion_of
from bayesmix.markets.equilibrium import Supply, equilibrium, observed
from bayesmix.markets.match import solve
from bayesmix.markets.matched import put_constants
from bayesmix.markets.merger import merged_owner
from bayesmix.markets.pricing import pricing

MODEL = bm.MixedLogit("price + x", random=[bm.Normal("price", "x")])
MEAN, SD = np.array([-3.0, 0.5]), np.array([0.5, 1.0])
AT = {"mean[price]": MEAN[0], "sd[price]": SD[0], "mean[x]": MEAN[1], "sd[x]": SD[1]}
SECONDS, RATIO, ROUNDS = 1.0, 0.5, 5


def rows(markets: int, products: int, nodes: int, seed: int = 1) -> SimpleNamespace:
    """Products of four firms with shares that are not the model's own, and nodes of everybody."""
    rng = np.random.default_rng(seed)
    n = markets * products
    market = np.repeat(np.arange(markets), products)
    product = np.tile(np.arange(products), markets)
    utility = rng.normal(size=n)
    odds = np.exp(utility)
    total = np.bincount(market, odds)[market]
    firm = product % 4
    return SimpleNamespace(
        market=market, product=product, firm=firm, merged=np.where(firm == 1, 0, firm),
        price=rng.uniform(0.5, 1.5, n), x=rng.normal(size=n), instrument=rng.normal(size=n),
        shares=0.7 * odds / total, nodes=rng.normal(size=(2, nodes)),
        weights=np.full(nodes, 1 / nodes), mean=MEAN, sd=SD,
    )  # fmt: skip


def sample(given: SimpleNamespace) -> tuple[Sample, np.ndarray]:
    """Each market a situation, with the nodes that are given; and the free vector."""
    columns = ("market", "product", "firm", "price", "x")
    frame = pd.DataFrame({name: getattr(given, name) for name in columns})
    data = bm.ChoiceData.from_long(
        frame, person=None, situation="market", alternative="product", outside_option=True
    )
    problem = bind_sets(MODEL, data)
    theta = problem.parameters.theta(AT)
    who = People(problem, GivenNodes(given.nodes[None], given.weights[None]))
    segments, names = segments_of(data, "market", data)
    none = Uncertainty(theta[None], lambda values: values, 0)
    return Sample(
        problem, who, none, segments, names, CheckedOptions(), *goods_of(data, None)
    ), theta


def target(found: Sample, given: SimpleNamespace) -> np.ndarray:
    index = pd.MultiIndex.from_arrays([given.market, given.product])
    return given_shares(
        MarketSets(found.there.data, found.segments, found.names),
        pd.Series(given.shares, index),
        "market",
    )


class Peer:
    """pyblp in its own interpreter; see `_common.Peer`."""

    def __init__(self, python: str, given: SimpleNamespace, folder: Path) -> None:
        np.savez(folder / "rows.npz", **vars(given))
        self.answers = folder / "answers.npz"
        command = [python, str(PEERS / "pyblp_markets.py"), folder / "rows.npz", self.answers]
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = json.loads(self.process.stdout.readline())["version"]

    def seconds(self) -> float:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["seconds"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def compare(python: str, folder: Path) -> dict[str, float]:
    """Largest differences from pyblp's numbers on a few markets."""
    given = rows(6, 8, 64, seed=2)
    peer = Peer(python, given, folder)
    peer.close()
    theirs = np.load(peer.answers)
    found, theta = sample(given)
    solution = solve(found, theta[None], target(found, given))
    shape = solution.constants.shape
    ours = solution.constants + (MEAN[0] * given.price + MEAN[1] * given.x).reshape(shape)
    gaps = {"mean utilities": ours.ravel() - theirs["delta"].ravel()}
    labels = {"market": found.names, "alternative": found.inside}
    constants = xr.DataArray(solution.constants, labels, list(labels))
    data = put_constants(found.there.data, constants, "market", "constant")
    with_them = bind_sets(MODEL, data)
    firms = bm.Firms("firm", market="market", allow_positive=True)
    moved = Sample(with_them, found.people, found.uncertainty, found.segments, found.names,
                   found.how, found.codes, found.goods)  # fmt: skip
    market = pricing(moved, firms)
    at, supply = observed(market, theta)
    gaps["marginal costs"] = supply.costs.ravel() - theirs["costs"].ravel()
    gaps["Lerner indices"] = (at.margins / at.prices).ravel() - theirs["markups"].ravel()
    diversion = diversion_of(at.demand)
    their_diversion = theirs["diversion"].reshape(*shape, -1).copy()
    own = np.arange(shape[1])
    their_diversion[:, own, own] = 0.0  # there the outside option's
    gaps["diversion"] = diversion - their_diversion
    owner = merged_owner(market.products.owner, np.array([0, 1]))
    then = equilibrium(market, theta, Supply(owner, supply.costs, supply.kept), at.prices)
    gaps["prices after a merger"] = then.prices.ravel() - theirs["prices"].ravel()
    console.print(f"pyblp {peer.version}; the merger raises prices by up to "
                  f"{(then.prices / at.prices - 1).max():.1%}")  # fmt: skip
    return {name: float(np.abs(gap).max()) for name, gap in gaps.items()}


def main() -> None:
    flags = options(__doc__, "no-peers")
    markets = 20 if flags.quick else 200
    given = rows(markets, 20, 500)
    found, theta = sample(given)
    wanted = target(found, given)
    solve(found, theta[None], wanted)
    python = None if flags.no_peers else peer_python("pyblp")
    with tempfile.TemporaryDirectory() as name:
        peer = None if python is None else Peer(python, given, Path(name))
        ours, theirs, solution = [], [], None
        for _ in range(ROUNDS):
            seconds, solution = timed(lambda: solve(found, theta[None], wanted))
            ours.append(seconds)
            theirs.append(np.nan if peer is None else peer.seconds())
        if peer is not None:
            peer.close()
        mine, other = float(np.median(ours)), float(np.median(theirs))
        error = float(np.abs(solution.shares - wanted).max())
        table(
            f"{markets} markets, 20 products, 500 nodes: medians of {ROUNDS} in turns",
            ["", "seconds", "evaluations", "largest error of a share", "met"],
            [
                ["bayesmix", f"{mine:.3f}", solution.evaluations, f"{error:.1e}",
                 verdict(mine < SECONDS and error <= 1e-12)],
                ["pyblp", f"{other:.3f}", "", "", ""],
                ["ratio", f"{mine / other:.3f}", "", "", verdict(mine / other <= RATIO)],
            ],
        )  # fmt: skip
    if python is None:
        return
    with tempfile.TemporaryDirectory() as name:
        gaps = compare(python, Path(name))
    limits = {key: 1e-8 if key == "mean utilities" else 1e-6 for key in gaps}
    table(
        "largest differences from pyblp, 6 markets, 8 products, 64 nodes",
        ["", "difference", "at most", "met"],
        [[k, f"{v:.1e}", f"{limits[k]:.0e}", verdict(v <= limits[k])] for k, v in gaps.items()],
    )


if __name__ == "__main__":
    main()
