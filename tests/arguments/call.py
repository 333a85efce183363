"""A call of a public function, with what it is given."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bayesmix.demand.options import Options


class Call(NamedTuple):
    """A function, with arguments that serve: positional nouns first, then options."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any]


def options(few: Mapping[str, Any]) -> dict[str, Any]:
    """The options that all functions of demand share, with values that serve."""
    given = {
        "interval": 0.9,
        "uncertainty": None,
        "people": "population",
        "progress": False,
        **few,
    }
    return {name: given[name] for name in Options.__annotations__ if name in given}
