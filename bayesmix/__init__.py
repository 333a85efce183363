"""bayesmix: mixed (random-coefficients) logit, in both traditions, on the same integration grids.

Symbols, the same everywhere:

==========  =====================================================================
I           persons
T           situations (of all persons)
R           rows: alternatives offered, over all situations
S           nodes of an integration grid (of a person)
K           random coefficients
F           fixed coefficients
P           parameters
D           draws
beta        coefficients of a person, (I or 1, K, S)
b           their Gaussian index, ``beta = T(b)``, ``b = loc + L u`` (all laws: ``T(L u; loc, s)``)
u, z        coordinates in the space of standard normals
l, logp     log-probability of a person's choices, (I, S) by node or (I,) integrated
theta       the free vector that optimisers move, (P,)
==========  =====================================================================
"""

from __future__ import annotations

import ast
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what is public, and where it lives; the one listing of either
    from bayesmix.accuracy.refine import Tolerance as Tolerance
    from bayesmix.bayes.correlations import correlations as correlations
    from bayesmix.bayes.inverse_wishart import InverseWishart as InverseWishart
    from bayesmix.bayes.models import pymc_model as pymc_model
    from bayesmix.bayes.prior_laws import Prior as Prior
    from bayesmix.bayes.sampling import sample as sample
    from bayesmix.bayes.sbc import sbc as sbc
    from bayesmix.bayes.sbc_ranks import SBC as SBC
    from bayesmix.classical.bootstrap import bootstrap as bootstrap
    from bayesmix.classical.bootstrap_result import Bootstrap as Bootstrap
    from bayesmix.classical.coverage import coverage as coverage
    from bayesmix.classical.coverage_result import Coverage as Coverage
    from bayesmix.classical.fit import Fit as Fit
    from bayesmix.classical.integration_error import integration_error as integration_error
    from bayesmix.classical.logit_mixed import logit_mixed as logit_mixed
    from bayesmix.classical.market_constants import MarketConstants as MarketConstants
    from bayesmix.classical.msle import msle as msle
    from bayesmix.classical.msm import msm as msm
    from bayesmix.classical.mss import mss as mss
    from bayesmix.classical.nonparametric import nonparametric as nonparametric
    from bayesmix.classical.types import Types as Types
    from bayesmix.classical.types_fit import TypesFit as TypesFit
    from bayesmix.classical.weight_basis import LogitWeights as LogitWeights
    from bayesmix.data import examples as examples
    from bayesmix.data.choices import ChoiceData as ChoiceData
    from bayesmix.data.market import market as market
    from bayesmix.data.read import read_choices as read_choices
    from bayesmix.data.read import read_table as read_table
    from bayesmix.demand.class_probabilities import class_probabilities as class_probabilities
    from bayesmix.demand.curve import price_curve as price_curve
    from bayesmix.demand.diversion import diversion as diversion
    from bayesmix.demand.diversion import marginal_consumers as marginal_consumers
    from bayesmix.demand.elasticities import elasticities as elasticities
    from bayesmix.demand.individuals import individuals as individuals
    from bayesmix.demand.person_draws import person_draws as person_draws
    from bayesmix.demand.predictions import predict as predict
    from bayesmix.demand.prior_predictive import prior_predictive as prior_predictive
    from bayesmix.demand.shares import shares as shares
    from bayesmix.demand.surplus import surplus as surplus
    from bayesmix.demand.wtp import wtp as wtp
    from bayesmix.document.report import Report as Report
    from bayesmix.document.report import report as report
    from bayesmix.errors import ConvergenceError as ConvergenceError
    from bayesmix.errors import DataError as DataError
    from bayesmix.errors import IntegrationError as IntegrationError
    from bayesmix.errors import SpecificationError as SpecificationError
    from bayesmix.evaluation.check_fit import check_fit as check_fit
    from bayesmix.evaluation.compare_laws import compare_laws as compare_laws
    from bayesmix.evaluation.compare_models import compare_models as compare_models
    from bayesmix.evaluation.cross_validation import CrossValidation as CrossValidation
    from bayesmix.evaluation.cross_validation import CrossValidations as CrossValidations
    from bayesmix.evaluation.cross_validation import cross_validate as cross_validate
    from bayesmix.evaluation.holdout import scores as scores
    from bayesmix.evaluation.law_comparison import LawComparison as LawComparison
    from bayesmix.evaluation.loo import loo as loo
    from bayesmix.evaluation.loo_result import Loo as Loo
    from bayesmix.evaluation.predictive import posterior_predictive as posterior_predictive
    from bayesmix.identification.check import check as check
    from bayesmix.inference.endogeneity import endogeneity_test as endogeneity_test
    from bayesmix.inference.endogeneity import overidentification_test as overidentification_test
    from bayesmix.inference.first_stage_table import FirstStageResult as FirstStageResult
    from bayesmix.inference.first_stage_table import first_stage as first_stage
    from bayesmix.inference.hausman import hausman_test as hausman_test
    from bayesmix.inference.likelihood_ratio import lr_test as lr_test
    from bayesmix.inference.mean_utilities import mean_utilities as mean_utilities
    from bayesmix.inference.second_stage import MeanUtilities as MeanUtilities
    from bayesmix.inference.wald import HypothesisTest as HypothesisTest
    from bayesmix.inference.wald import wald_test as wald_test
    from bayesmix.integration.grids import population_grid as population_grid
    from bayesmix.integration.overview import rule_table as rule_table
    from bayesmix.integration.quadrature_rules import gauss_hermite as gauss_hermite
    from bayesmix.integration.quadrature_rules import sparse as sparse
    from bayesmix.integration.quadrature_rules import trapezoid as trapezoid
    from bayesmix.integration.rules import centred as centred
    from bayesmix.integration.rules import halton as halton
    from bayesmix.integration.rules import mlhs as mlhs
    from bayesmix.integration.rules import monte_carlo as monte_carlo
    from bayesmix.integration.rules import sobol as sobol
    from bayesmix.likelihood.cluster import on_workers as on_workers
    from bayesmix.likelihood.simulate import simulate_choices as simulate_choices
    from bayesmix.markets.entry import entry_and_exit as entry_and_exit
    from bayesmix.markets.firms import Firms as Firms
    from bayesmix.markets.markups import markups as markups
    from bayesmix.markets.match import match_shares as match_shares
    from bayesmix.markets.matched import MatchedShares as MatchedShares
    from bayesmix.markets.merger import merger as merger
    from bayesmix.markets.outcome import Counterfactual as Counterfactual
    from bayesmix.markets.pressure import pricing_pressure as pricing_pressure
    from bayesmix.markets.tax import pass_through as pass_through
    from bayesmix.markets.tax import tax as tax
    from bayesmix.reporting.compare import compare as compare
    from bayesmix.reporting.compare_rules import compare_rules as compare_rules
    from bayesmix.reporting.compare_rules import plot_rules as plot_rules
    from bayesmix.reporting.demand_tables import demand_table as demand_table
    from bayesmix.reporting.diagnose import diagnose as diagnose
    from bayesmix.reporting.diagnosis import Diagnosis as Diagnosis
    from bayesmix.reporting.diversion_plot import plot_diversion as plot_diversion
    from bayesmix.reporting.explain_difference import explain_difference as explain_difference
    from bayesmix.reporting.first_stage_plots import plot_first_stage as plot_first_stage
    from bayesmix.reporting.forest import plot_forest as plot_forest
    from bayesmix.reporting.latex import to_latex as to_latex
    from bayesmix.reporting.market_plots import plot_counterfactual as plot_counterfactual
    from bayesmix.reporting.market_plots import plot_markups as plot_markups
    from bayesmix.reporting.market_plots import plot_pass_through as plot_pass_through
    from bayesmix.reporting.matrix_plot import plot_matrix as plot_matrix
    from bayesmix.reporting.price_curve_plot import plot_price_curve as plot_price_curve
    from bayesmix.reporting.prior_table import priors as priors
    from bayesmix.reporting.regression_table import RegressionTable as RegressionTable
    from bayesmix.reporting.regression_table import table as table
    from bayesmix.reporting.sbc_plot import plot_coverage as plot_coverage
    from bayesmix.reporting.sbc_plot import plot_sbc as plot_sbc
    from bayesmix.reporting.trace_plot import plot_trace as plot_trace
    from bayesmix.reporting.type_plots import plot_types as plot_types
    from bayesmix.reporting.wtp_plot import plot_wtp as plot_wtp
    from bayesmix.specification.classes import LatentClass as LatentClass
    from bayesmix.specification.constraints import Constraints as Constraints
    from bayesmix.specification.control_function import ControlFunction as ControlFunction
    from bayesmix.specification.laws.censored_normal import CensoredNormal as CensoredNormal
    from bayesmix.specification.laws.exponential import Exponential as Exponential
    from bayesmix.specification.laws.gamma import Gamma as Gamma
    from bayesmix.specification.laws.johnson_sb import JohnsonSB as JohnsonSB
    from bayesmix.specification.laws.joint import Correlated as Correlated
    from bayesmix.specification.laws.joint import LKJNormal as LKJNormal
    from bayesmix.specification.laws.lognormal import LogNormal as LogNormal
    from bayesmix.specification.laws.normal import Normal as Normal
    from bayesmix.specification.laws.triangular import Triangular as Triangular
    from bayesmix.specification.laws.truncated_normal import TruncatedNormal as TruncatedNormal
    from bayesmix.specification.laws.uniform import Uniform as Uniform
    from bayesmix.specification.model import MixedLogit as MixedLogit
    from bayesmix.specification.nests import Nests as Nests
    from bayesmix.specification.normal_mixture import NormalMixture as NormalMixture
    from bayesmix.specification.warm import warm as warm
    from bayesmix.study.open import StudyRun as StudyRun
    from bayesmix.study.open import open_run as open_run

__version__ = version("bayesmix")


def _homes() -> dict[str, str]:
    """The module of each public name, read off the listing above, which does not run.

    Modules are imported when a name is first used, so that importing the package is quick and needs
    neither a sampler nor a plotting library; type checkers and editors see the imports themselves.
    """
    listing = ast.parse(Path(__file__).read_text(encoding="utf-8")).body
    block = next(statement for statement in listing if isinstance(statement, ast.If))
    froms = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in froms for alias in node.names}


def _homes_of_laws() -> dict[str, str]:
    """The file of each mixing law's function: in the laws' folder these alone are capitalised."""
    folder = Path(__file__).parent / "specification" / "laws"
    return {
        name: f"bayesmix.specification.laws.{path.stem}"
        for path in sorted(folder.glob("*.py"))
        for name in re.findall(r"^def ([A-Z]\w*)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


_HOME = _homes() | _homes_of_laws()
if not TYPE_CHECKING:  # type checkers take the listing
    __all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bayesmix' has no attribute {name!r}")
    home = import_module(_HOME[name])
    value = getattr(home, name) if hasattr(home, name) else import_module(f"{_HOME[name]}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_HOME, "__version__"])
