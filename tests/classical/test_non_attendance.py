"""Attributes that some people do not look at: classes with coefficients held at 0."""

import numpy as np
import pandas as pd

import bayesmix as bm

SLOPES, IGNORING = np.array([-1.2, 0.8]), 0.35
PEOPLE, TASKS = 400, 8


def attributes() -> tuple[np.ndarray, np.ndarray]:
    """Attributes (people, tasks, 3, 2) and choices (people, tasks)."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(PEOPLE, TASKS, 3, 2))
    ignores = rng.uniform(size=PEOPLE) < IGNORING
    own = np.where(ignores[:, None], [0.0, SLOPES[1]], SLOPES)
    u = (x * own[:, None, None, :]).sum(axis=-1) + rng.gumbel(size=x.shape[:-1])
    return x, u.argmax(axis=-1)


def data_of(x: np.ndarray, chosen: np.ndarray) -> bm.ChoiceData:
    index = pd.MultiIndex.from_product([range(PEOPLE), range(TASKS), list("abc")])
    rows = index.set_names(["who", "task", "alt"]).to_frame(index=False)
    rows["price"], rows["quality"] = x[..., 0].ravel(), x[..., 1].ravel()
    rows["choice"] = (np.arange(3) == chosen[..., None]).ravel().astype(int)
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(rows, **roles)


def by_hand(x: np.ndarray, chosen: np.ndarray, price: float, quality: float, none: float) -> float:
    """``sum_i log((1 - none) P_i(price, quality) + none P_i(0, quality))``."""

    def probability(b: list[float]) -> np.ndarray:
        v = x @ np.array(b)
        top = np.take_along_axis(v, chosen[..., None], axis=-1)[..., 0]
        return np.exp((top - np.log(np.exp(v).sum(axis=-1))).sum(axis=-1))

    mixed = (1 - none) * probability([price, quality]) + none * probability([0.0, quality])
    return float(np.log(mixed).sum())


def test_a_share_does_not_look_at_the_price() -> None:
    x, chosen = attributes()
    model = bm.MixedLogit("price + quality", bm.LatentClass("price"))
    fit = bm.msle(model, data_of(x, chosen), fixed={"fixed[price, 2]": 0.0}, starts=2, rng=1)
    table = fit.summary()
    truth = {"fixed[price, 1]": SLOPES[0], "fixed[quality]": SLOPES[1], "class share[2]": IGNORING}
    for name, value in truth.items():
        estimate, error = table.loc[name, ["estimate", "std error"]].astype(float)
        assert abs(estimate - value) < 3.0 * error, name
        assert error < 0.1
    # The class that is held keeps its number, whichever share is larger.
    assert fit.params["fixed[price, 2]"] == 0.0
    found = [table.loc[name, "estimate"] for name in truth]
    np.testing.assert_allclose(fit.loglik, by_hand(x, chosen, *map(float, found)), atol=1e-6)
    blind = bm.msle(bm.MixedLogit("price + quality"), data_of(x, chosen))
    assert fit.loglik > blind.loglik + 30.0
