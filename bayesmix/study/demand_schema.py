"""Tables of study files on what follows from estimates: demand, markets, firms, scenarios."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from bayesmix.study.given import Amounts, LabelList, Scalar, Scalars
from bayesmix.study.key_types import Count, Terms


@dataclass(frozen=True)
class DemandTable:
    """``[demand]``: what the run folder holds of demand, of every method, with intervals.

    ``elasticities`` are attributes, ``diversion`` kinds (``removal``, ``quality``, ``price``, or a
    column), ``wtp`` terms; ``price`` is the column that money is counted in.
    """

    price: str | None = None
    shares: bool = True
    elasticities: Terms | None = None
    diversion: Terms | None = None
    wtp: Terms | None = None
    surplus: bool = False
    by: str | None = None
    products: str | None = None
    nodes: Count = 256
    draws: Count = 200
    interval: float = 0.95
    uncertainty: Literal["krinsky-robb", "delta"] | None = None


@dataclass(frozen=True)
class MarketTable:
    """``[market]``: constants that make shares those of a file; demand and firms are at them.

    The file, ``shares``, has the columns ``column`` (where there are several markets), that of the
    alternatives, and ``share``; what is missing to 1 is the outside option's.
    """

    shares: str
    column: str | None = None


@dataclass(frozen=True)
class FirmsTable:
    """``[firms]``: who sets which prices, the arguments of `Firms`; ``pass_through = true``."""

    ownership: str
    price: str | None = None
    market: str | None = None
    products: str | None = None
    allow_positive: bool = False
    pass_through: bool = False


@dataclass(frozen=True)
class EndogeneityTable:
    """``[endogeneity]``: a control function, the arguments of `ControlFunction`."""

    price: str
    instruments: str
    on: Terms
    exogenous: str | None = None
    powers: Count = 1
    cluster: str | None = None
    new: Literal["refuse", "zero"] = "refuse"


@dataclass(frozen=True)
class MergerTable:
    """``[[scenario]]``: firms become one, and prices follow; needs ``[firms]``."""

    kind: Literal["merger"]
    name: str
    firms: Annotated[Any, LabelList()]
    efficiencies: Annotated[Any, Amounts()] = None


@dataclass(frozen=True)
class TaxTable:
    """``[[scenario]]``: a tax of a unit, a rate on prices, or both; needs ``[firms]``."""

    kind: Literal["tax"]
    name: str
    specific: Annotated[Any, Amounts()] = None
    ad_valorem: Annotated[Any, Amounts()] = None


@dataclass(frozen=True)
class ExitTable:
    """``[[scenario]]``: alternatives are gone; with ``[firms]`` prices follow."""

    kind: Literal["exit"]
    name: str
    alternatives: Annotated[Any, LabelList()]


@dataclass(frozen=True)
class EntryTable:
    """``[[scenario]]``: a new alternative, offered to all; with ``[firms]`` prices follow."""

    kind: Literal["entry"]
    name: str
    alternative: str
    attributes: Annotated[Any, Scalars()]
    like: Annotated[Any, Scalar()] = None
    cost: float | None = None


@dataclass(frozen=True)
class ChangeTable:
    """``[[scenario]]``: a column has another ``value``, or has ``add`` or ``multiply`` applied.

    With ``[firms]``, and a column that is no price, prices follow.
    """

    kind: Literal["change"]
    name: str
    column: str
    value: Annotated[Any, Scalar()] = None
    add: float | None = None
    multiply: float | None = None
    alternatives: Annotated[Any, LabelList()] = None


ScenarioTable = ChangeTable | ExitTable | EntryTable | MergerTable | TaxTable
