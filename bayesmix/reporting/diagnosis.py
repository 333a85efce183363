"""What checks of a posterior's draws say: findings with figures, meanings and remedies."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from bayesmix.data.display import html, whole


@dataclass(frozen=True)
class Finding:
    """What one check says.

    Parameters
    ----------
    check
        What is looked at.
    value
        The worst figure; NaN where it is not known.
    wanted
        In words, what it should be.
    good
        Whether it is; None where it is not known.
    words
        What the figure is, and what it means.
    remedy
        What to do; nothing where it is good.
    """

    check: str
    value: float
    wanted: str
    good: bool | None
    words: str
    remedy: str = ""

    def __str__(self) -> str:
        return self.words + (f": {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What `bm.diagnose` found.

    Parameters
    ----------
    findings
        One a check.
    parameters
        R-hat and effective numbers of draws by flat name (P, 3).
    chains
        A row a chain: divergences, deepest trees, E-BFMI, acceptance and step size, as far as the
        sampler has recorded them.
    method
        How the draws were made: ``"nuts"`` or ``"importance"``, or ``"unknown"``.
    size
        In words, how many there are.
    """

    findings: tuple[Finding, ...]
    parameters: pd.DataFrame
    chains: pd.DataFrame
    method: str
    size: str

    @property
    def good(self) -> bool:
        """Whether nothing that is known is bad."""
        return all(finding.good is not False for finding in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """A row a check: ``value``, ``wanted``, ``good`` (missing where unknown), ``meaning``."""
        return pd.DataFrame(
            {
                "value": [finding.value for finding in self.findings],
                "wanted": [finding.wanted for finding in self.findings],
                "good": pd.array([finding.good for finding in self.findings], dtype="boolean"),
                "meaning": [str(finding) for finding in self.findings],
            },
            index=pd.Index([finding.check for finding in self.findings], name="check"),
        )

    @property
    def troubles(self) -> tuple[str, ...]:
        """In words, what is bad, and the remedy of each."""
        return tuple(str(finding) for finding in self.findings if finding.good is False)

    def headline(self) -> str:
        """In a line: good or not, and what is not known."""
        bad = [finding.check for finding in self.findings if finding.good is False]
        unknown = [finding.check for finding in self.findings if finding.good is None]
        words = f"{self.size}: " + ("look at " + ", ".join(bad) if bad else "nothing bad is seen")
        return words + (f"; not known: {', '.join(unknown)}" if unknown else "")

    def __str__(self) -> str:
        lines = [f"{_mark(finding)} {finding.check}: {finding}" for finding in self.findings]
        tables = [whole(self.chains, "{:.3g}")] if len(self.chains.columns) else []
        return "\n\n".join([self.headline(), "\n".join(lines), *tables])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = escape(self.headline(), quote=False)
        return f"<p>{words}</p>{html(self.table, '{:.4g}')}"


def _mark(finding: Finding) -> str:
    return {True: "good", False: "BAD ", None: "?   "}[finding.good]
