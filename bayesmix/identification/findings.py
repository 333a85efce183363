"""What a check has found: findings with their remedies, and the report that prints them."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import asdict, dataclass
from html import escape

import pandas as pd

from bayesmix.data.display import html
from bayesmix.errors import Fault

SEVERITIES = ("error", "warning", "note")
WIDTH = 100


@dataclass(frozen=True)
class Finding:
    """One finding.

    Parameters
    ----------
    severity
        ``"error"``: a fit refuses, or some parameter has no estimate. ``"warning"``: estimates will
        be weak, or not what they seem. ``"note"``: good to know.
    what, where, remedy
        In words; ``where`` names columns or parameters, or the first offending persons.
    """

    severity: str
    what: str
    where: str
    remedy: str

    @property
    def text(self) -> str:
        """What it is and its remedy, in the words of an exception."""
        return f"{self.what}: {self.remedy}" if self.remedy else self.what

    def __str__(self) -> str:
        label = f"  {self.severity:<8} "
        lines = [self.text, *([f"where: {self.where}"] if self.where else [])]
        return "\n".join(
            textwrap.fill(line, WIDTH, initial_indent=start, subsequent_indent=" " * len(label))
            for line, start in zip(lines, [label, " " * len(label)], strict=False)
        )


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 note", "2 notes"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def of_fault(severity: str, fault: Fault) -> Finding:
    """A fault of the specification, as a finding."""
    return Finding(severity, fault.what, ", ".join(fault.where), fault.remedy)


def of_error(error: ValueError) -> Finding:
    """What an estimator raises, as a finding in the same words."""
    if error.args and isinstance(error.args[0], Fault):
        return of_fault("error", error.args[0])
    what, colon, remedy = str(error).rpartition(": ")
    return Finding("error", what if colon else remedy, "", remedy if colon else "")


@dataclass(frozen=True)
class CheckReport:
    """What `bayesmix.check` has found, the gravest first; prints itself.

    Parameters
    ----------
    findings
        All findings.
    condition
        Condition number of the outer product of persons' scores at the starting values, each
        parameter in units of its own curvature; NaN where it was not computed.
    weakest
        Parameters that the data tell apart least there.
    """

    findings: tuple[Finding, ...]
    condition: float = float("nan")
    weakest: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each finding: ``severity``, ``what``, ``where``, ``remedy``."""
        columns = ["severity", "what", "where", "remedy"]
        return pd.DataFrame([asdict(finding) for finding in self.findings], columns=columns)

    @property
    def headline(self) -> str:
        """Counts of errors, warnings and notes."""
        found = Counter(finding.severity for finding in self.findings)
        counts = [counted(found[s], s) for s in SEVERITIES if found[s]]
        return f"Identification: {', '.join(counts) or 'nothing found'}"

    @property
    def curvature(self) -> str:
        """The condition number and the weakest direction, in a line; "" without them."""
        if not self.weakest:
            return ""
        return (
            f"condition number {self.condition:.3g} of the scaled outer product of scores at the "
            f"starting values; weakest direction: {', '.join(self.weakest)}"
        )

    def __str__(self) -> str:
        last = textwrap.fill(self.curvature, WIDTH, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([self.headline, *map(str, self.findings), *([last] if last else [])])

    def _repr_html_(self) -> str:
        table = html(self.table, index=False, border=0) if self.findings else ""
        lines = [self.headline, table, escape(self.curvature, quote=False)]
        return "".join(
            part if part.startswith("<table") else f"<p>{part}</p>" for part in lines if part
        )


def report(
    findings: list[Finding], condition: float = float("nan"), weakest: tuple[str, ...] = ()
) -> CheckReport:
    """The report, the gravest findings first."""
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckReport(tuple(ordered), condition, weakest)
