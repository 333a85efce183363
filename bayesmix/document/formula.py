"""A model as a formula: utility, laws of tastes, probabilities of choices and of persons."""

from __future__ import annotations

from bayesmix.document.html import text
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.laws.coefficient import Coefficient, Law

EXPLAINED = (
    "Person i, situation t, alternative j; N(a, b²) is the normal law with mean a and standard "
    "deviation b."
)


def formulas(problem: Problem) -> str:
    """Lines of HTML: the utility, each law, the logit, the likelihood of a person."""
    model = problem.model
    lines = [_utility(problem)]
    lines += [line for law in model.laws for line in _law(law)]
    each = f"one value in each of {model.latent.number} classes"
    lines += [f"{_beta(c.term)} : {each}" for c in model.latent.coefficients]
    lines += [_class_share(share) for share in model.latent.formulas]
    lines += [_logit(problem), _person(problem)]
    return "".join(f'<div class="formula">{line}</div>' for line in lines)


def _class_share(share: str) -> str:
    plain = {"0": "the same for all classes", "1": "the same for everybody"}
    told = plain.get(share, f"a logit of the classes in {text(share)} of person <i>i</i>")
    return f"P(class <i>c</i>) = share<sub>c</sub>, {told}"


def _utility(problem: Problem) -> str:
    model, design = problem.model, problem.design
    random = [(_beta(c.term), c.term) for c in model.varying]
    fixed = [(f"<i>δ</i><sub>{text(name)}</sub>", name) for name in problem.parameters.fixed]
    terms = {name: coefficient for coefficient, name in (*random, *fixed)}
    if model.wtp is None:
        parts = [f"{coefficient} {_x(name)}" for name, coefficient in terms.items()]
        value = " + ".join(parts) or "0"
    else:
        # v = a (p - w'x): coefficients but the price's are willingness to pay.
        others = [f"{c} {_x(name)}" for name, c in terms.items() if name != model.wtp]
        less = " &minus; ".join([_x(model.wtp), *others])
        value = f"{terms[model.wtp]} ({less})"
    scale = f"<i>λ</i><sub>{text(model.scale)}</sub> " if model.scale else ""
    if scale:
        value = f"{scale}[{value}]"
    known = " + offset<sub><i>itj</i></sub>" if design.offset is not None else ""
    if design.cells is not None:
        known += " + market_constant<sub><i>m</i>(<i>it</i>),<i>j</i></sub>"
    outside = ", &nbsp; <i>V</i><sub><i>it</i>0</sub> = 0" if problem.data.outside_option else ""
    return f"<i>V</i><sub><i>itj</i></sub> = {value}{known}{outside}"


def _x(name: str) -> str:
    return f"{text(name)}<sub><i>itj</i></sub>"


def _beta(term: str) -> str:
    return f"<i>β</i><sub><i>i</i>,{text(term)}</sub>"


def _law(law: Law) -> list[str]:
    """One line a coefficient, and one for the correlations of their indices."""
    lines = [_coefficient(c) for c in law.coefficients]
    if law.correlated and len(law.coefficients) > 1:
        names = ", ".join(_index(c) for c in law.coefficients)
        kind = "" if all(c.law.identity for c in law.coefficients) else "normal scores of "
        lines.append(f"corr[<i>a</i>, <i>b</i>] : correlations of {kind}{names}, in pairs")
    return lines


def _index(c: Coefficient) -> str:
    """What is normal: the coefficient itself, or the logarithm of its size."""
    letter = "β" if c.law.identity or c.law.unit != "logarithm" or c.law.moves else "b"
    return f"<i>{letter}</i><sub><i>i</i>,{text(c.term)}</sub>"


def _coefficient(c: Coefficient) -> str:
    name, beta = text(c.term), _beta(c.term)
    scale = f"sd[{name}]²"
    mean = f"mean[{name}]" if c.mean == "1" else "<i>m</i><sub><i>i</i></sub>"
    if c.mean == "0":
        mean = "0"
    told = "" if c.mean in ("0", "1") else (
        f", &nbsp; <i>m</i><sub><i>i</i></sub> = {text(c.mean)} of person <i>i</i> "
        f"(mean[{name}], shift[{name}, …])"
    )  # fmt: skip
    if c.law.identity:
        return f"{beta} ~ N({mean}, {scale}){told}"
    if c.law.unit == "logarithm" and not c.law.moves:
        sign = "&minus;" if c.sign < 0 else ""
        index = _index(c)
        return f"{beta} = {sign}exp({index}), &nbsp; {index} ~ N({mean}, {scale}){told}"
    return f"{beta} ~ {text(c.law.words)} law of {text(c)}{told}"


def _logit(problem: Problem) -> str:
    if problem.model.nests is not None:
        return _nested(problem)
    one = "1 + " if problem.data.outside_option else ""
    return (
        "<i>P</i><sub><i>itj</i></sub>(<i>β</i><sub><i>i</i></sub>) = exp <i>V</i><sub><i>itj</i>"
        f"</sub> / ({one}Σ<sub><i>k</i></sub> exp <i>V</i><sub><i>itk</i></sub>)"
    )


def _nested(problem: Problem) -> str:
    """Probabilities of nests, and within them."""
    power = "<sup>1/nest[<i>m</i>]</sup>"
    inside, each = (
        f"(<i>a</i><sub><i>{j}m</i></sub> exp <i>V</i><sub><i>it{j}</i></sub>){power}" for j in "jk"
    )
    total = f"Σ<sub><i>k</i></sub> {each}"
    outside = ", the outside option among the <i>k</i>" if problem.data.outside_option else ""
    return (
        "<i>P</i><sub><i>itj</i></sub>(<i>β</i><sub><i>i</i></sub>) = Σ<sub><i>m</i></sub> "
        f"<i>Q</i><sub><i>itm</i></sub> {inside} / {total}, &nbsp; <i>Q</i><sub><i>itm</i></sub> "
        f"proportional to ({total})<sup>nest[<i>m</i>]</sup>{outside}</div>"
        f'<div class="formula">nests <i>m</i>: {text(str(problem.model.nests))}; an alternative in '
        "none is one by itself, with nest[<i>m</i>] = 1; <i>a</i> = 1 where no part is given"
    )


def _person(problem: Problem) -> str:
    product = (
        "Π<sub><i>t</i></sub> <i>P</i><sub><i>it</i>,<i>y</i>(<i>it</i>)</sub>"
        "(<i>β</i><sub><i>i</i></sub>)"
    )
    if not problem.model.varying:
        return f"<i>L</i><sub><i>i</i></sub>(<i>θ</i>) = {product}"
    return (
        f"<i>L</i><sub><i>i</i></sub>(<i>θ</i>) = ∫ {product} d<i>F</i>(<i>β</i><sub><i>i</i></sub>"
        " | <i>θ</i>)"
    )
