"""`report`: everything that a reader asks of some results, in one HTML file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import ENOENT
from pathlib import Path
from types import MappingProxyType
from typing import Any, Unpack

import pandas as pd
import xarray as xr

from bayesmix import arguments
from bayesmix.classical.fit import Fit
from bayesmix.classical.market_constants import with_stored, write_constants
from bayesmix.classical.types_fit import TypesFit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.fingerprint import fingerprint
from bayesmix.demand.draws import parameter_draws
from bayesmix.demand.money import PRICE
from bayesmix.demand.options import Options, settle
from bayesmix.document import demand_sections, results
from bayesmix.document.html import Section, enclosed, page, paragraph, table, text, verbatim
from bayesmix.errors import SpecificationError
from bayesmix.files import save_text
from bayesmix.identity import package_versions
from bayesmix.likelihood.problem import Problem
from bayesmix.progress import tracked
from bayesmix.reporting.compare import labelled

Maker = Callable[[], Section | None]
Result = Fit | xr.DataTree | TypesFit


@dataclass(frozen=True, eq=False)
class Report:
    """A report: one HTML page that needs nothing but itself.

    Parameters
    ----------
    title
        Its title.
    html
        The page.
    """

    title: str
    html: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all."""
        save_text(path, self.html)

    def __repr__(self) -> str:
        return f"Report({self.title!r}, {len(self.html):,} characters): .save('report.html')"


def report(
    fits: Result | Mapping[str, Result],
    data: ChoiceData,
    *,
    price: str | None = None,
    path: str | os.PathLike[str] | None = None,
    title: str = "Mixed logit: report",
    reproduce: str = "",
    **how: Unpack[Options],
) -> Report:
    """One self-contained HTML page on fits and posteriors of the same choices.

    Data; the model in words and as a formula; estimates side by side; accuracy of the integrals;
    diagnostics of draws; checks against replicated choices; elasticities, diversion and willingness
    to pay with intervals; why methods differ; versions, and the fits themselves to be saved from
    the page. A section that cannot be computed says why. Nothing is fetched from elsewhere: the
    page can be sent on as it is, read on a phone, and printed.

    Parameters
    ----------
    fits
        A result, or several by label: ``{"MSLE": fit, "NUTS": posterior}``; types, as
        `nonparametric` and `logit_mixed` find them, too.
    data
        The choices that they were fitted to.
    price
        The column of prices, of elasticities and willingness to pay; that of a model in
        willingness-to-pay space, or ``"price"`` where the utility has it, by default.
    path
        Where the page is written, if anywhere.
    title
        Of the page.
    reproduce
        Further words on how the results were made, such as a study file, printed as they stand.
    **how
        As in `shares`: ``draws=200`` of the parameters, ``rng``, ``nodes``, ``progress`` ...

    Returns
    -------
    Report
        ``html``, and ``save(path)``.

    Raises
    ------
    SpecificationError
        If a result is none, or the price is no column of the utility of any.
    DataError
        If the data are not those of a result.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> bm.report(fit, data, price="pf", title="Plans", draws=5, nodes=8, rng=1)
    Report('Plans', ... characters): .save('report.html')
    """
    several = {"fit": fits} if isinstance(fits, Result) else labelled("fits", fits)
    own = {
        str(label): result.fit if isinstance(result, TypesFit) else result
        for label, result in several.items()
    }
    _check(own, title, reproduce, path)
    done = composed(Subject(own, data, price, title, reproduce), how)
    if path is not None:
        done.save(path)
    return done


@dataclass(frozen=True, eq=False)
class Subject:
    """What a page is on: results by label, their data, the price, a title, and further words."""

    results: Mapping[str, Fit | xr.DataTree]
    data: ChoiceData
    price: str | None
    title: str
    reproduce: str = ""


def composed(
    subject: Subject, how: Mapping[str, Any], given: Mapping[str, Maker] = MappingProxyType({})
) -> Report:
    """The page; sections that are ``given`` stand in place of its own, or before the last one."""
    own, data = subject.results, subject.data
    settled = settle(how, report)
    each = {label: _own(result, data) for label, result in own.items()}
    problems = {k: parameter_draws(r, each[k], 1).problem for k, r in own.items()}
    found = _price(subject.price, problems)
    asked = demand_sections.Asked(
        own, problems, each, found, {k: v for k, v in how.items() if k != "progress"}
    )
    makers: dict[str, Maker] = {
        "data": lambda: results.data_section(data),
        "model": lambda: results.model_section(problems),
        "estimates": lambda: results.estimates_section(own),
        "accuracy": lambda: results.accuracy_section(own),
        "diagnostics": lambda: results.diagnostics_section(own),
        "differences": lambda: results.differences_section(own, data, demand_sections.seeded(how)),
        "checks": lambda: demand_sections.checks_section(asked),
        "elasticities": lambda: demand_sections.elasticities_section(asked),
        "diversion": lambda: demand_sections.diversion_section(asked),
        "wtp": lambda: demand_sections.wtp_section(asked),
        **dict.fromkeys(given, lambda: None),
        "reproduction": lambda: _reproduction(own, data, subject.reproduce),
    }
    makers |= given
    steps = tracked(makers.values(), "report", total=len(makers), show=settled.progress)
    sections = [section for section in (make() for make in steps) if section is not None]
    lead = (
        f"{', '.join(own)} on {data.n_situations:,} choices of {data.n_persons:,} persons. "
        f"Intervals are of {100 * settled.interval:g} %."
    )
    return Report(subject.title, page(subject.title, paragraph(lead, "soft"), sections))


def _check(
    fits: Mapping[str, object], title: str, reproduce: str, path: str | os.PathLike[str] | None
) -> None:
    for label, result in fits.items():
        if not isinstance(result, Fit | xr.DataTree):
            raise arguments.refused("fits", f"a fit or a posterior at {label!r}", result)
    arguments.text("title", title)
    if not isinstance(reproduce, str):
        raise arguments.refused("reproduce", "text", reproduce)
    if path is None:
        return
    if not isinstance(path, str | os.PathLike) or not str(path):
        raise arguments.refused("path", "the path of a file", path)
    if not Path(path).parent.is_dir():  # said before the work, not after it
        raise FileNotFoundError(ENOENT, "No such folder", str(Path(path).parent))


def _own(result: Fit | xr.DataTree, data: ChoiceData) -> ChoiceData:
    """The data with the constants of markets that are a fit's own; a posterior adds its draws'."""
    return (
        with_stored(write_constants(result.market_constants), data)
        if isinstance(result, Fit)
        else data
    )


def _price(price: str | None, problems: Mapping[str, Problem]) -> str | None:
    """The column of prices; None where nobody has said which it is."""
    columns = {name: _columns(problem) for name, problem in problems.items()}
    if price is None:
        in_space = {p.model.wtp for p in problems.values()} - {None}
        usual = in_space or {PRICE}
        return next(
            (u for u in sorted(map(str, usual)) if all(u in c for c in columns.values())), None
        )
    arguments.text("price", price, "the name of a column of the utility")
    for name, known in columns.items():
        if price not in known:
            raise SpecificationError(
                f"argument 'price' must be a column of the utility, got {price!r}: that of "
                f"{name!r} has {sorted(known)}"
            )
    return price


def _columns(problem: Problem) -> list[str]:
    return [*(c.term for c in problem.model.varying), *problem.parameters.fixed]


def _reproduction(fits: Mapping[str, Fit | xr.DataTree], data: ChoiceData, words: str) -> Section:
    """Versions, the digest of the choices, grids, and the fits as files inside of the page."""
    rows = {"choices, digest": fingerprint(data), **package_versions()}
    parts = [
        table(pd.DataFrame({"": list(rows.values())}, index=pd.Index(list(rows), name="what")))
    ]
    parts[0] = parts[0].replace("<th></th>", "<th>version</th>")
    if words:
        parts.append(verbatim(words))
    for label, result in fits.items():
        if isinstance(result, Fit):
            rule = f", grid {result.grid.rule}" if result.space.n_random else ""
            link = enclosed(f"{label}.json", _stored(result))
            parts.append(
                f"<p>{text(f'{label}: {result.estimator}{rule}. ')}<span class='screen'>The fit "
                f"itself: {link}, read by <code>bm.Fit.load(path, data)</code>, which makes its "
                "grid again and checks the log-likelihood on it.</span></p>"
            )
        else:
            known = result["posterior"].attrs if "posterior" in result.children else result.attrs
            told = [f"{n} {known[n]}" for n in ("method", "likelihood", "grid") if n in known]
            parts.append(paragraph(f"{label}: posterior, {', '.join(told)}."))
    return Section("reproduce", "How to reproduce it", "".join(parts))


def _stored(fit: Fit) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fit.json")
        fit.save(path)
        return path.read_bytes()
