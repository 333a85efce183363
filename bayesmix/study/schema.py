"""What a study file may hold: each table a frozen record, each key a field with its type.

The parser reads names, types, allowed values and defaults off these records; a key added here is
thereby a key of the file.
"""

from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_type_hints

from bayesmix.specification.laws.base import own_laws
from bayesmix.study.demand_schema import (
    DemandTable,
    EndogeneityTable,
    FirmsTable,
    MarketTable,
    ScenarioTable,
)
from bayesmix.study.given import ByLabel, NestsByName, PriorsByName
from bayesmix.study.key_types import AtLeast, Count, Terms


@dataclass(frozen=True)
class ByName:
    """A table whose keys are flat names of parameters, attached to the type of its items."""


@dataclass(frozen=True)
class EndsByName:
    """A table whose keys are flat names of parameters, and whose items are pairs of bounds."""


@dataclass(frozen=True)
class Spread:
    """Columns of alternatives: a pattern, a list, or a table by alternative, attached to Any."""


@dataclass(frozen=True)
class SpreadByName:
    """A table of these by attribute, or a list of attributes, attached to Any."""


@dataclass(frozen=True)
class LabelsOrCodes:
    """A list of labels, or a table from codes to labels, attached to Any."""


Ends = Annotated[tuple[tuple[str, float, float], ...], EndsByName()]
Values = Annotated[tuple[tuple[str, float], ...], ByName()]


@dataclass(frozen=True)
class WideTable:
    """``[data.wide]``: of a file with a row for each situation, the columns of its alternatives.

    The arguments of `ChoiceData.from_wide` by the same names; codes of alternatives are text.
    """

    alternatives: Annotated[Any, LabelsOrCodes()]
    varying: Annotated[Any, SpreadByName()]
    availability: Annotated[Any, Spread()] = None
    ranked: Annotated[Any, Spread()] = None
    outside_label: str | None = None


@dataclass(frozen=True)
class DataTable:
    """``[data]``: a bundled example, or a file (relative to the study file) and its columns.

    In a text file an empty field is missing, and what ``missing`` lists, such as ``["NA"]``;
    ``labels`` are columns that stay text, ``codes`` those whose value labels are not wanted.
    ``population_shares``, by alternative, are for samples that were drawn by choices. With a
    ``store``, a folder to make, ``file`` is of Parquet, or a folder or a pattern of such files,
    and rows stay on the disk.
    """

    example: Literal["electricity"] | None = None
    file: str | None = None
    person: str | None = None
    situation: str | None = None
    alternative: str | None = None
    chosen: str | None = None
    ranked: str | None = None
    availability: str | None = None
    outside_option: bool = False
    weights: str | None = None
    offset: str | None = None
    sampling: str | None = None
    correction: str | None = None
    missing: Terms | None = None
    labels: Terms | None = None
    codes: Terms | None = None
    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
    table: str | None = None
    store: str | None = None
    population_shares: Annotated[Any, ByLabel()] = None
    wide: WideTable | None = None


@dataclass(frozen=True)
class UtilityTable:
    """``[utility]``: the formula of the utility."""

    formula: str
    wtp: str | None = None
    scale: str | None = None


def law_table(key: str, make: Callable[..., Any]) -> type:
    """``[[random]]`` with independent coefficients: the arguments of the law's function as keys.

    Whole numbers are counts.
    """
    hints = get_type_hints(make)
    keys = [
        (name, Count if hints[name] is int else hints[name], one.default)
        for name, one in signature(make).parameters.items()
        if one.kind is Parameter.KEYWORD_ONLY
    ]
    fields: list[Any] = [("law", Literal[key]), ("terms", Terms), *keys]
    return make_dataclass(f"{make.__name__}Table", fields, frozen=True)


LAWS = own_laws()
TABLES = {key: law_table(key, make) for key, make in LAWS.items()}
if TYPE_CHECKING:
    IndependentTable = Any
else:
    IndependentTable = Union[tuple(TABLES.values())]  # noqa: UP007


@dataclass(frozen=True)
class LKJNormalTable:
    """``[[random]]`` with correlated normal coefficients."""

    law: Literal["lkj-normal"]
    terms: Terms
    eta: float = 2.0
    mean: str = "1"


@dataclass(frozen=True)
class CorrelatedTable:
    """``[[random]]`` that joins the laws in ``[[random.laws]]`` with correlations."""

    law: Literal["correlated"]
    laws: tuple[IndependentTable, ...]
    eta: float = 2.0


@dataclass(frozen=True)
class LatentClassTable:
    """``[[random]]`` with latent classes: terms that are points in each, and laws inside.

    Laws stand in ``[[random.laws]]``; `share` is the formula of the class shares.
    """

    law: Literal["latent-class"]
    terms: Terms = ()
    laws: tuple[IndependentTable | LKJNormalTable | CorrelatedTable, ...] = ()
    classes: Annotated[int, AtLeast(2)] = 2
    share: str = "1"


@dataclass(frozen=True)
class NormalMixtureTable:
    """``[[random]]`` with a mixture of normal laws."""

    law: Literal["normal-mixture"]
    terms: Terms
    components: Annotated[int, AtLeast(2)] = 2
    correlated: bool = True
    share: str = "1"


LawTable = (
    IndependentTable | LKJNormalTable | CorrelatedTable | NormalMixtureTable | LatentClassTable
)


@dataclass(frozen=True)
class DrawsTable:
    """``[grid]`` with own draws for every person, plain or centred on each.

    `moments`, of a centred grid, adds nodes with the moments of a first pass; `halves` makes them
    two independent halves, whose difference takes out the bias of the log-likelihood.
    """

    rule: Literal["sobol", "halton", "mlhs", "monte-carlo"]
    nodes: Count
    centred: bool = False
    moments: bool = False
    halves: bool = False


@dataclass(frozen=True)
class GaussHermiteTable:
    """``[grid]`` with a product of Gauss-Hermite rules, the same for everybody or centred."""

    rule: Literal["gauss-hermite"]
    points: Count = 7
    centred: bool = False


@dataclass(frozen=True)
class TrapezoidTable:
    """``[grid]`` with a product of equally spaced nodes."""

    rule: Literal["trapezoid"]
    points: Count = 64
    centred: bool = False


@dataclass(frozen=True)
class SparseTable:
    """``[grid]`` with a sparse grid."""

    rule: Literal["sparse"]
    level: Count = 5
    family: Literal["kpn", "gqn"] = "kpn"


@dataclass(frozen=True)
class AutoTable:
    """``[grid]`` left to the estimator."""

    rule: Literal["auto"]


GridTable = DrawsTable | GaussHermiteTable | TrapezoidTable | SparseTable | AutoTable


@dataclass(frozen=True)
class ConstraintsTable:
    """``[constraints]``: groups of parameters that are equal, linear constraints in words, bounds.

    Bounds stand in ``[constraints.bounds]``, such as ``"fixed[cost]" = [-inf, 0]``; they are for
    the MSLE. What is held at a value stands in ``[fixed]``, such as ``"sd[pf]" = 0``.
    """

    equal: tuple[Terms, ...] | None = None
    linear: Terms | None = None
    bounds: Ends = ()


@dataclass(frozen=True)
class EstimateTable:
    """``[estimate]``: which estimators, and their settings.

    `cluster` is the column of clusters of the MSLE's standard errors; `scores`, `accepted` (draws a
    person) and `candidates` are those of the MSS; `likelihood`, `draws` and `chains` those of
    posteriors, `tune` that of NUTS. With `checkpoint` NUTS keeps its chains in the run folder as
    they are drawn, and a run that was ended goes on with them.
    """

    methods: tuple[Literal["msle", "msm", "mss", "nuts", "importance"], ...] = ("msle", "nuts")
    seed: Annotated[int, AtLeast(0, 2**63 - 1)] = 1
    starts: Count = 4
    optimizer: Literal["bfgs", "l-bfgs-b", "trust-region", "bhhh"] = "bfgs"
    cluster: str | None = None
    likelihood: Literal["marginal", "hierarchical", "auto"] = "auto"
    scores: Literal["accept-reject", "importance"] = "accept-reject"
    accepted: Annotated[int, AtLeast(2)] = 25
    candidates: Count = 4096
    draws: Count = 1000
    tune: Count | None = None
    chains: Count = 4
    checkpoint: bool = False


@dataclass(frozen=True)
class Study:
    """A study file, parsed: made by `read_study`."""

    path: Path
    text: str
    data: DataTable
    utility: UtilityTable
    random: tuple[LawTable, ...] = ()
    fixed: Values = ()
    constraints: ConstraintsTable = ConstraintsTable()
    grid: GridTable = AutoTable("auto")
    estimate: EstimateTable = EstimateTable()
    priors: Annotated[Any, PriorsByName()] = None
    nests: Annotated[Any, NestsByName()] = None
    endogeneity: EndogeneityTable | None = None
    demand: DemandTable | None = None
    market: MarketTable | None = None
    firms: FirmsTable | None = None
    scenario: tuple[ScenarioTable, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without its ending; the run folder's name too."""
        return self.path.stem
