"""The page of all messages, by family, from the package's source: ``python docs/messages.py``.

A family is what has one kind of cause and one kind of remedy; a message belongs to that of the
file that raises it. The site writes the page where it is made.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "bayesmix"
PAGE = Path(__file__).parent / "messages.md"
LONGEST = 60
"""Letters of an anchor."""
COMPUTED = "..."
MAKERS = ("Fault", "NoEstimates", "refused")
"""What makes errors and is not called one."""


@dataclass(frozen=True)
class Family:
    """A heading, what its messages come from, what to do, and where they are raised."""

    heading: str
    cause: str
    remedy: str
    places: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Of the heading."""
        return f"family-{slug(self.heading)}"


FAMILIES = (
    Family(
        "Reading a file",
        "The file is not what its ending says, has another separator, encoding or sheet, or holds "
        "something twice.",
        "`bayesmix inspect FILE` shows what is seen. Give separator, decimal mark, encoding or "
        "sheet, or save the file anew as CSV with UTF-8.",
        ("data/sources/", "data/read.py", "data/row_files.py", "data/parquet"),
    ),
    Family(
        "Rows kept on disk",
        "The folder of a store is of other files, damaged, or in use.",
        "Name another folder, or remove it and build it again from its files.",
        ("data/store/", "study/store.py"),
    ),
    Family(
        "A table with a row a situation",
        "Columns of alternatives are not found under the names that a pattern makes, or codes of "
        "the choice are not those of the alternatives.",
        "Compare the pattern, `{alternative}_price`, with the names of columns that the message "
        "lists; give a table by alternative where names follow no pattern.",
        ("data/wide", "data/widen.py"),
    ),
    Family(
        "Rankings, samples by choice, known parts of utility",
        "Ranks are not 1, 2, 3, ...; shares of the population are not of the alternatives, or do "
        "not sum to 1; an offset is not finite.",
        "Look at the rows and alternatives that are named; shares are of everybody, the outside "
        "option included.",
        ("data/rankings.py", "data/population_shares.py", "data/known", "data/derived.py"),
    ),
    Family(
        "Scenarios, markets and their products",
        "A scenario was not made from the data at hand, a label or a column is not theirs, or a "
        "product lacks an attribute.",
        "Make it from them, with `with_attribute`, `without`, `with_alternative` or `bm.market`; "
        "the nearest label that exists is in the message.",
        (
            "data/scenario.py",
            "data/market",
            "data/products.py",
            "data/segments.py",
            "data/attributes.py",
        ),
    ),
    Family(
        "Rows of choices",
        "A situation has no or several chosen rows, an alternative twice, missing values, or "
        "labels that look alike.",
        "Look at the rows that are named, in your table. Drop whole situations, not rows.",
        ("data/",),
    ),
    Family(
        "Formulas",
        "A formula has a name that is no column, a form that is not understood, a column that "
        "does not vary within situations, or code that is not trusted.",
        "The message has the nearest column. What does not vary within situations enters by "
        "alternative, `C(alternative):income`, or as the mean of a law.",
        ("formulas/",),
    ),
    Family(
        "Laws of tastes",
        "A law is given arguments that it has none of, a term twice, or bounds that are in no "
        "order.",
        "Each law's arguments and their meaning are on its page in the API.",
        (
            "specification/laws/",
            "specification/means.py",
            "specification/covariates.py",
            "kernels/",
            "specification/restrictions.py",
        ),
    ),
    Family(
        "Classes, nests, scales, constraints",
        "Parts of the model exclude one another, or name parameters, alternatives or sources that "
        "there are none of.",
        "Names of parameters are those that `print(model.design(data).parameters.names)` lists. "
        "Leave out one of the two parts that the message names.",
        (
            "specification/class",
            "specification/nests.py",
            "specification/scale.py",
            "specification/constraint",
            "specification/feasible.py",
            "specification/held",
            "specification/given_values.py",
        ),
    ),
    Family(
        "Endogenous prices",
        "Instruments or prices vary within a level, there are too few levels, or an instrument is "
        "in the utility; or the levels of a prediction are new.",
        'Name finer columns as levels, `on=`, or other instruments; `new="zero"` takes the shock '
        "of new levels for its mean.",
        (
            "specification/control_function.py",
            "specification/first_stage.py",
            "specification/levels.py",
            "specification/residuals.py",
            "inference/first_stage",
            "inference/endogeneity.py",
            "bayes/control.py",
        ),
    ),
    Family(
        "The model as a whole",
        "Model and data do not fit together, or the choices cannot tell parameters apart.",
        "`bm.check(model, data)` says which columns or laws; leave them out, or join levels.",
        ("specification/", "identification/"),
    ),
    Family(
        "Rules of integration and grids",
        "A rule has arguments that it does not take, too many nodes, or was made for other counts; "
        "or some person's integral is not positive on it.",
        "Pass the rule in place of the grid; for integrals take nodes placed where each person's "
        "own likelihood is, `bm.centred(bm.sobol(64))`.",
        ("integration/", "centring/", "likelihood/evaluate.py"),
    ),
    Family(
        "Binding and the multinomial logit",
        "Data are not those of a fit, choices are separated, or a sign contradicts them.",
        "Give the fit's own data, or new data as `predict=`; for separation see above.",
        ("likelihood/",),
    ),
    Family(
        "Searches and estimators",
        "No start converged, moments or scores have no root, or an estimator does not know a part "
        "of the model.",
        "Scale columns to similar sizes, take a finer grid or other starts; the message names an "
        "estimator that knows the model.",
        ("classical/", "optimise/"),
    ),
    Family(
        "Posteriors and priors",
        "A prior is of no parameter or of another kind, the posterior is not one of `bm.sample`, "
        "or its path does not know the model.",
        "Names of priors are flat names or kinds, as the message lists them; take the likelihood "
        "or the method that it names.",
        ("bayes/",),
    ),
    Family(
        "Tests of hypotheses",
        "Two fits are not nested, not of the same choices, or one ended too early; a hypothesis "
        "names no parameter.",
        "Give fits of the same data, the restricted one as the message says; for a local maximum "
        "give more `starts=`.",
        ("inference/",),
    ),
    Family(
        "Demand",
        "A column has no slope, utility is not linear in the price or has no one sign in it, or "
        "people and sets are not those that are known.",
        "Give the price a law of one sign, `bm.LogNormal(..., sign=-1)`, or willingness-to-pay "
        "space; name the column that utility depends on.",
        ("demand/",),
    ),
    Family(
        "Firms",
        "Owners or prices vary within a product's market, one firm has all there is, or no "
        "equilibrium was found.",
        "Name finer markets or products, `bm.Firms(market=..., products=...)`; an outside option "
        "bounds prices.",
        ("markets/",),
    ),
    Family(
        "Evaluation",
        "Models are not of the same choices, or too few persons are left in a part.",
        "Give the same data to all, and fewer folds.",
        ("evaluation/",),
    ),
    Family(
        "Tables, plots, reports",
        "What is to be shown is no result, or of another function.",
        "The message names the function whose result is wanted.",
        ("reporting/", "document/"),
    ),
    Family(
        "Studies and runs",
        "A study's file has a table, key or value that is not understood; a run folder is another "
        "study's, damaged, or in use.",
        "The message has the line and the nearest name. `bayesmix check STUDY.toml` says it before "
        "anything is fitted.",
        ("study/", "cli.py", "console.py"),
    ),
    Family(
        "Arguments, files, processes",
        "An argument is of another kind than its function takes, or a file of kept steps is of "
        "another computation.",
        "The message says what was expected and what came.",
        ("arguments.py", "__init__.py", "locks.py", "processes.py", "repeated.py", "journal.py"),
    ),
)


@dataclass(frozen=True)
class Message:
    """A text that errors are raised with; what is computed in it is ``...``."""

    text: str
    file: str

    @property
    def family(self) -> Family:
        """That of the longest place that the file is in."""
        places = [(place, own) for own in FAMILIES for place in own.places]
        fitting = [one for one in places if self.file.startswith(one[0])]
        if not fitting:
            raise LookupError(f"docs/messages.py: no family has errors of {self.file}")
        return max(fitting, key=lambda one: len(one[0]))[1]


def slug(text: str) -> str:
    """Words of a text as an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST].strip("-")


@cache
def messages() -> tuple[Message, ...]:
    """All of them, by file, each once."""
    found: dict[Message, None] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or (name := _makes_error(node)) == "":
                continue
            text = _tidy([_words(argument) for argument in node.args], name)
            if re.search(r"[A-Za-z]{3}", text):
                found[Message(text, file)] = None
    return tuple(found)


def _makes_error(node: ast.Call) -> str:
    """The name of what it calls, where this makes an error, or a finding that becomes one."""
    called = node.func
    name = called.id if isinstance(called, ast.Name) else ""
    if isinstance(called, ast.Attribute) and called.attr == "refused":
        name = called.attr
    return name if name in MAKERS or name.endswith("Error") else ""


def _tidy(words: list[str], name: str) -> str:
    """The text of a call; of an argument that is refused, the sentence made of its parts."""
    if name == "refused" and len(words) > 1:
        words = [f"argument '{words[0]}' must be {words[1]}, got {COMPUTED}"]
    if name == "Fault":
        words = [": ".join(words[:2])]
    text = re.sub(r"(?:\.\.\.\s*)+(?=[,;:.)\]])", COMPUTED, " ".join(words[:1] or [""]))
    text = re.sub(r"(?:\.\.\.){2,}", COMPUTED, text)
    return " ".join(text.split())


def _words(node: ast.AST) -> str:
    """Text of an expression, in the order of its source."""
    if isinstance(node, ast.Constant):
        return node.value.replace("\n", " ") if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _words(node.left) + _words(node.right)
    if isinstance(node, ast.IfExp):
        return f"{_words(node.body)} "
    return COMPUTED


def anchors() -> dict[Message, str]:
    """An anchor of each message, of its first words; numbered where others have these too."""
    found: dict[Message, str] = {}
    taken: set[str] = set()
    for message in messages():
        base = own = f"m-{slug(message.text)}"
        number = 1
        while own in taken:
            number += 1
            own = f"{base}-{number}"
        taken.add(own)
        found[message] = own
    return found


def page() -> str:
    """The page in Markdown."""
    listed: dict[str, list[str]] = {family.heading: [] for family in FAMILIES}
    for message, anchor in anchors().items():
        words = message.text.replace("`", "'")
        listed[message.family.heading].append(f'- <span id="{anchor}"></span>`{words}`')
    parts = [
        "# All messages, by family\n\n"
        "Each error of the package says where it is and what helps. Here are their texts, with "
        "`...` for names and numbers, under what their causes have in common; the ones that people "
        "meet most are explained in [troubleshooting](troubleshooting.md).\n"
    ]
    for family in FAMILIES:
        lines = "\n".join(listed[family.heading])
        parts.append(
            f"({family.anchor})=\n## {family.heading}\n\n**Cause.** {family.cause}\n\n"
            f"**Remedy.** {family.remedy}\n\n{lines}\n"
        )
    return "\n".join(parts)


def write() -> None:
    """The page beside this file, where it changes."""
    text = page()
    if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
