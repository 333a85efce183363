"""A parsed study as the objects it describes: data, model, rule of integration."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from bayesmix.arguments import instance
from bayesmix.bayes.held import check_holdable
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.rules import RULES, Centred, Rule, centred
from bayesmix.likelihood.bind import bind
from bayesmix.specification.classes import LatentClass
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.control_function import ControlFunction
from bayesmix.specification.feasible import check_constraints, check_free
from bayesmix.specification.laws.joint import Correlated, LKJNormal
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.normal_mixture import NormalMixture
from bayesmix.study.data import study_data
from bayesmix.study.demand_checks import (
    asked_in_words,
    check_demand_table,
    check_firms,
    check_scenarios,
    settings,
)
from bayesmix.study.demand_trial import (
    trial_sample,
    try_firms,
    try_groups,
    try_market,
    try_scenario,
)
from bayesmix.study.method_checks import check_methods
from bayesmix.study.nests import check_nests_asked, nests_of
from bayesmix.study.parse import PlaceInFile
from bayesmix.study.schema import (
    LAWS,
    AutoTable,
    CorrelatedTable,
    GridTable,
    LatentClassTable,
    LawTable,
    LKJNormalTable,
    NormalMixtureTable,
    Study,
)
from bayesmix.study.words import in_words_of_studies


@dataclass(frozen=True, eq=False)
class Built:
    """A study's data, model and rule, checked against each other; prints itself in words."""

    study: Study
    data: ChoiceData
    model: MixedLogit
    rule: Rule | Centred | str
    notes: tuple[str, ...] = ()
    """What is not in the data as it was in their file."""
    priors: Mapping[str, Any] | None = None
    """As ``bm.sample`` takes them."""

    def __str__(self) -> str:
        estimate = self.study.estimate
        lines = [
            f"{self.study.path}: valid\n\n{self.data.summary()}\n",
            *(f"note: {note}\n" for note in self.notes),
            self.model.describe(self.data),
            f"  grid      {self.rule}",
            f"  seed      {estimate.seed}",
        ]
        if "msle" in estimate.methods:
            lines.append(f"  msle      {estimate.starts} starts, {estimate.optimizer}")
        if "msm" in estimate.methods:
            nodes = self.rule.rule if isinstance(self.rule, Centred) else self.rule
            lines.append(f"  msm       two steps, {'sobol(512)' if nodes == 'auto' else nodes}")
        if "mss" in estimate.methods:
            by = f"{estimate.accepted} draws a person, accepted of {estimate.candidates} candidates"
            nodes = "importance sampling on person-centred nodes"
            lines.append(f"  mss       {nodes if estimate.scores == 'importance' else by}")
        if "importance" in estimate.methods:
            lines.append(f"  importance {estimate.chains * estimate.draws:,} effective draws")
        if "nuts" in estimate.methods:
            tuning = f" after {estimate.tune} of tuning" if estimate.tune else ""
            lines.append(
                f"  nuts      {estimate.likelihood} likelihood, {estimate.chains} chains of "
                f"{estimate.draws} draws{tuning}"
            )
        if self.priors:
            lines.append(f"  priors    {', '.join(f'{k}: {v}' for k, v in self.priors.items())}")
        return "\n".join([*lines, *asked_in_words(self.study)])


def check_study(study: Study) -> Built:
    """Read the data, make the model and the rule, and check them, without fitting.

    Raises
    ------
    SpecificationError, DataError
        Naming the study file, its table, and what is wrong.
    """
    instance("study", study, Study, "a study, from bm.study.read_study(path)")
    place = PlaceInFile(study.path)
    with _blame(place, "[data]"):
        data, notes = study_data(study)
    with _blame(place, "[[random]]"):
        laws = [_law(table) for table in study.random]
    with _blame(place, "[grid]"):
        rule = _rule(study.grid, place.inside("[grid]"))
    with _blame(place, "[utility]"):
        utility = study.utility
        model = MixedLogit(utility.formula, random=laws, wtp=utility.wtp, scale=utility.scale)
        if study.endogeneity is None:
            space = model.design(data).parameters
    if study.endogeneity is not None:
        with _blame(place, "[endogeneity]"):
            model = replace(model, control=ControlFunction(**asdict(study.endogeneity)))
            space = model.design(data).parameters
    if study.nests is not None:
        with _blame(place, "[nests]"):
            check_nests_asked(study)
            model = replace(model, nests=nests_of(study.nests, data))
            space = model.design(data).parameters
    with _blame(place, "[fixed]"):
        model = replace(model, constraints=Constraints(dict(study.fixed)))
        check_constraints(space, model.constraints)
    with _blame(place, "[constraints]"):
        table = study.constraints
        bounds = {name: (low, high) for name, low, high in table.bounds}
        constraints = Constraints(dict(study.fixed), table.equal, table.linear or (), bounds)
        model = replace(model, constraints=constraints)
        check_constraints(space, constraints)
    _check_methods(place, model, data, study)
    with _blame(place, "[priors]"):
        priors = _priors(study, model, data)
    if settings(study) is not None:
        _check_demand(place, model, data, study)
    return Built(study, data, model, rule, notes, priors)


def _check_demand(place: PlaceInFile, model: MixedLogit, data: ChoiceData, study: Study) -> None:
    """Refuse what no fit of this model could answer."""
    with _blame(place, "[demand]"):
        check_demand_table(study, model, data)
        found = trial_sample(model, data)
        try_groups(study, found)
    with _blame(place, "[market]"):
        try_market(study, found)
    with _blame(place, "[firms]"):
        check_firms(study, model, data)
        market = try_firms(study, model, data)
    with _blame(place, "[[scenario]]"):
        check_scenarios(study, model, data)
    for number, one in enumerate(study.scenario, 1):
        with _blame(place, f"[[scenario]] number {number}"):
            try:
                try_scenario(study, one, found, market)
            except (DataError, SpecificationError) as error:
                raise type(error)(f"scenario '{one.name}': {error}") from error


def _priors(study: Study, model: MixedLogit, data: ChoiceData) -> dict[str, Any] | None:
    """Priors as objects, which the model's parameters must have."""
    if study.priors is None:
        return None
    from bayesmix.bayes.prior_laws import Prior  # samplers are not imported for studies without
    from bayesmix.bayes.prior_summary import prior_summary

    found: dict[str, Any] = {}
    for name, one in study.priors.items():
        found[name] = tuple(one) if isinstance(one, list) else one
        if isinstance(one, dict):
            law = {key: value for key, value in one.items() if key != "law"}
            try:
                found[name] = Prior(one["law"], **law)
            except SpecificationError as error:
                raise SpecificationError(f'"{name}": {error}') from error
    if not {"nuts", "importance"} & set(study.estimate.methods):
        raise SpecificationError(
            "priors are of posteriors, and the methods in [estimate] have none: add 'nuts' or "
            "'importance' there, or leave [priors] out"
        )
    prior_summary(bind(model, data), found)
    return found


def _check_methods(place: PlaceInFile, model: MixedLogit, data: ChoiceData, study: Study) -> None:
    """Refuse models and constraints that a method does not take, in the words of a study."""
    methods, given = study.estimate.methods, model.constraints
    if not given:
        with _blame(place, "[estimate]"):
            check_methods(study, model, data)
    if not given:
        return
    with _blame(place, "[fixed]" if given.fixed else "[constraints]"):
        problem = bind(model, data)
        for name in methods:
            remedy = f"leave '{name}' out of the methods in [estimate]"
            if name != "msle" and problem.constraint is not None:
                check_free(problem.constraint, f"'{name}'")
            if name in ("msm", "mss") and given.bounds:
                raise SpecificationError(
                    f"{name} knows no bounds on parameters ({given}): {remedy}, or hold them at a "
                    "value in [fixed]"
                )
            if name in ("nuts", "importance"):
                try:
                    check_holdable(problem)
                except SpecificationError as error:
                    raise SpecificationError(f"{error}; or {remedy}") from error
    with _blame(place, "[estimate]"):
        check_methods(study, model, data)


@contextmanager
def _blame(place: PlaceInFile, table: str) -> Iterator[None]:
    """Name the file and its table in front of an error that knows neither."""
    try:
        yield
    except (DataError, SpecificationError) as error:
        if str(error).startswith(str(place.file)):
            raise
        words = in_words_of_studies(str(error))
        raise type(error)(f"{place.inside(table).words()}: {words}") from error


def _law(table: LawTable) -> Any:
    match table:
        case LatentClassTable():
            inside = (_law(inner) for inner in table.laws)
            return LatentClass(*table.terms, *inside, classes=table.classes, share=table.share)
        case NormalMixtureTable():
            return NormalMixture(
                *table.terms,
                components=table.components,
                correlated=table.correlated,
                share=table.share,
            )
        case CorrelatedTable():
            return Correlated(*(_law(inner) for inner in table.laws), eta=table.eta)
        case LKJNormalTable():
            return LKJNormal(*table.terms, eta=table.eta, mean=table.mean)
        case _:
            settings = asdict(table)
            make = LAWS[settings.pop("law")]
            return make(*settings.pop("terms"), **settings)


def _rule(table: GridTable, place: PlaceInFile) -> Rule | Centred | str:
    if isinstance(table, AutoTable):
        return "auto"
    settings = asdict(table)
    make = RULES[settings.pop("rule").replace("-", "_")]
    centre = settings.pop("centred", False)
    flags = {key: settings.pop(key) for key in ("moments", "halves") if key in settings}
    for key in flags:
        if flags[key] and not centre:
            place.fail(f"key '{key}' needs centred = true")
    rule = make(**settings)
    return centred(rule, **flags) if centre else rule  # type: ignore[arg-type]
