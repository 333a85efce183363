"""What estimates are of, and in which units, where their names do not say it."""

from __future__ import annotations

from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.model import MixedLogit


def parameter_words(model: MixedLogit) -> tuple[str, ...]:
    """Sentences on means and standard deviations that are no coefficients', and on money.

    >>> import bayesmix as bm
    >>> parameter_words(bm.MixedLogit("price + time", bm.LogNormal("price", sign=-1)))
    ('mean[price], sd[price]: of the logarithm of minus the coefficient',)
    >>> parameter_words(bm.MixedLogit("price + time", wtp="price"))[0]
    'coefficients are willingness to pay in units of price, but that of price, which is in utils'
    """
    groups: dict[str, list[str]] = {}
    for c in model.coefficients:
        if c.law.of:
            names = [f"{kind}[{c.term}]" for kind in ("mean", "sd")]
            groups.setdefault(_of(c), []).extend(names[c.mean == "0" :])
    lines = [f"{', '.join(names)}: of {words}" for words, names in groups.items()]
    if model.wtp is not None:
        lines.insert(
            0,
            f"coefficients are willingness to pay in units of {model.wtp}, but that of "
            f"{model.wtp}, which is in utils",
        )
    return tuple(lines)


def _of(c: Coefficient) -> str:
    """What a law's location and scale are of."""
    return c.law.of.replace("{coefficient}", "the coefficient" if c.sign > 0 else
                            "minus the coefficient")  # fmt: skip
