"""What to give in place of categories that a model was not estimated on."""

from __future__ import annotations

from bayesmix.data.columns import first_few, show
from bayesmix.data.table import ChoiceTable

OF_SCENARIOS = (
    "for a new alternative name one whose constants it has, with_alternative(..., "
    "like='existing label'); of another category, predict for rows whose categories it knows"
)


def remedy(data: ChoiceTable, unseen: str) -> str:
    """In the words of what made the data; ``unseen`` is text with the categories."""
    if data.origin is None:
        return OF_SCENARIOS
    known = data.origin.alternatives
    new = [label for label in data.alternatives if label not in (*known, *data.stand_ins)]
    new = [label for label in new if show(label) in unseen]
    if not new:
        return "describe the market's products by categories that the model knows"
    like = f"bm.market(..., like={{{show(new[0])}: {show(known[0])}}})"
    return (
        f"of products of a market that are no alternatives of the data, {first_few(new)}, say "
        f"whose constants they have, {like}, or give them labels of the data, "
        f"{first_few(known, 12)}, in column {show(data.alternative)} of the products"
    )
