"""Latent classes: a finite number of kinds of people, each with coefficients of its own.

Every model has C >= 1 classes: `ONE` is that of a model without `LatentClass`, in which parameters
have no class in their names. What is not known of several is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import index

import numpy as np

from bayesmix import arguments
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.formulas.formula import Learnt
from bayesmix.specification.class_space import ClassSpace
from bayesmix.specification.covariates import Covariates, check_mean, covariates
from bayesmix.specification.laws.coefficient import Coefficient, Law
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameters import ParameterSpace

ROLE = "the class shares"


class PointCoefficient(Coefficient):
    """A coefficient that is one number in each class, of signs known at estimates alone."""

    @property
    def has_one_sign(self) -> bool:
        """True: whether a class's number is of the right sign, is asked where it is known."""
        return True


@dataclass(frozen=True)
class Classes:
    """C >= 1 classes: `ONE`, or those made by `LatentClass`.

    Parameters
    ----------
    members
        What is specific to a class: terms, whose coefficients are points there, and laws.
    number
        Number C of classes.
    share
        Formula of the class shares in covariates of persons.
    """

    members: tuple[str | Law, ...]
    number: int
    share: str = "1"

    @property
    def points(self) -> tuple[str, ...]:
        """Terms with one coefficient in each class."""
        return tuple(m for m in self.members if isinstance(m, str))

    @property
    def laws(self) -> tuple[Law, ...]:
        """Laws whose parameters differ between classes."""
        return tuple(m for m in self.members if isinstance(m, Law))

    @property
    def terms(self) -> tuple[str, ...]:
        """All terms whose coefficients, or laws, are specific to a class."""
        return (*self.points, *(term for law in self.laws for term in law.terms))

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """Records of the point coefficients, one a term."""
        return tuple(PointCoefficient(term) for term in self.points)

    @property
    def formulas(self) -> tuple[str, ...]:
        """That of the shares of all but the first."""
        return (self.share,) * min(self.number - 1, 1)

    @property
    def fewer(self) -> str:
        """What to write for one class less."""
        return f"use {self.number - 1} classes" if self.number > 2 else "leave LatentClass out"

    def model(self, random: Sequence[Law]) -> str:
        """What a model with these classes and laws is called."""
        if self.number > 1:
            return "mixed logit with latent classes" if random else "latent class logit"
        return "mixed logit" if random else "multinomial logit"

    def layout(self, within: ParameterSpace, shares: Covariates | None) -> Layout:
        """Names and places of the parameters, of those within a class, the points first.

        Without the covariates of the ``shares``, those of data, only whether they have a constant.
        """
        if not self.members:
            return within
        return ClassSpace(
            within=within,
            classes=self.number,
            points=self.points,
            own=tuple(term for law in self.laws for term in law.terms),
            constant=self.share != "0" if shares is None else not shares.centred,
            covariates=() if shares is None else tuple(name for _, name in shares.shifts),
        )

    def __str__(self) -> str:
        inner = [*([", ".join(self.points)] if self.points else []), *map(str, self.laws)]
        share = "" if self.share == "1" else f" (shares {self.share})"
        return f"{self.number} latent classes of {'; '.join(inner)}{share}"


ONE = Classes((), 1, "0")
"""The one class of a model without latent classes."""


def given_laws(random: Sequence[Law | Classes] | Law | Classes) -> tuple[Law | Classes, ...]:
    """One law, or several, as they were given.

    Raises
    ------
    SpecificationError
        If they are something else.
    """
    if isinstance(random, Law | Classes):
        return (random,)
    laws = tuple(random) if isinstance(random, Sequence) and not isinstance(random, str) else None
    if laws is None or not all(isinstance(law, Law | Classes) for law in laws):
        raise arguments.refused("random", "laws, such as [bm.Normal('price')]", random)
    return laws


def classes_of(random: Sequence[Law | Classes]) -> Classes:
    """The classes of a model with these laws.

    Raises
    ------
    SpecificationError
        If they are given twice.
    """
    found = [law for law in random if isinstance(law, Classes)]
    if len(found) > 1:
        raise SpecificationError(
            "argument 'random' has two LatentClass: people are of one class in all that they "
            "do; name all terms in one, LatentClass('a', 'b', classes=4)"
        )
    return found[0] if found else ONE


def laws_of(random: Sequence[Law | Classes]) -> tuple[Law, ...]:
    """The continuous laws, those inside of classes among them."""
    parts = (law.laws if isinstance(law, Classes) else (law,) for law in random)
    return tuple(law for part in parts for law in part)


ONE_CLASS_ONLY = {
    "scale": "scale={0!r} with a LatentClass: scales of sources go with continuous laws alone; "
    "interact attributes with the source in the formula, such as 'price + price:C({0})', or leave "
    "out one of the two",
    "nests": "nests= with a LatentClass: nests go with continuous laws alone; leave out one of the "
    "two",
    "inverse-Wishart": "priors[{0!r}]: within latent classes covariances have LKJ and half-normal "
    "priors; an inverse-Wishart prior is for models without classes",
    "horseshoe": "priors[{0!r}]: horseshoe priors are for models without classes; give latent "
    "classes a 'laplace' or 'student-t' prior",
    "sbc": "the order of latent classes is another in other choices, and so is what ranks are of: "
    "leave the classes out",
    "coverage": "the order of latent classes is another in other samples, and so is what their "
    "intervals are of: leave the classes out",
    "estimator": "{0} does not estimate latent classes: use msle, whose likelihood sums over "
    "classes exactly, or sample",
    "types": "types from a fit need one law, and this has latent classes",
    "whitening": "latent classes have posteriors of several modes",
    "correlations": "argument 'posterior': each latent class has a matrix of its own; take 'corr' "
    "by the names of its pairs",
    "shares": "argument {0!r}: not of models with latent classes, of whose coefficients choices "
    "tell only the differences between classes, beside constants; give tastes a continuous law, or "
    "fit classes without shares and calibrate their constants, bm.match_shares",
}
"""What is known of one class alone, and what is said where a model has several."""


def why_not(classes: Classes, what: str, name: object = "") -> str:
    """In words, why ``what``, about ``name``, is not known of these classes; "" of one."""
    return ONE_CLASS_ONLY[what].format(name) if classes.number > 1 else ""


def check_one_class(classes: Classes, what: str, name: object = "") -> None:
    """Refuse several classes where one alone is known.

    Raises
    ------
    SpecificationError
        If there are several, in the words of `ONE_CLASS_ONLY` for ``what``, about ``name``.
    """
    words = why_not(classes, what, name)
    if words:
        raise SpecificationError(words)


def LatentClass(*members: str | Law, classes: int = 2, share: str = "1") -> Classes:
    """Latent classes: people are of C kinds, and nobody knows who is of which.

    ``P_i = sum_c pi_ic P_i(theta_c)``, with shares ``pi_ic = exp(gamma_c'z_i) / sum_d exp(gamma_d'
    z_i)`` and ``gamma_1 = 0`` (Kamakura and Russell 1989; with covariates Bhat 1997). Terms that
    no member names are shared by all classes, fixed or with a law of their own outside. A law
    inside has a mean and a standard deviation in each class: a finite mixture of normals (the
    mixed-mixed logit of Keane and Wasi 2013).

    Parameters
    ----------
    *members
        Columns of the design, whose coefficient is a point in each class, and laws, such as
        ``Normal("time")``, whose parameters differ between classes.
    classes
        Number C of classes, at least 2.
    share
        Formula of the shares in covariates of persons, such as ``"1 + age"``: parameters
        ``share[2]`` and ``share[2, age]`` of class 2. With ``"0"`` all classes have equal shares.

    Returns
    -------
    Classes
        What `MixedLogit` takes among its random coefficients; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there is no member or less than two classes, or the formula cannot be read.

    Notes
    -----
    Parameters that differ between classes have the class as their last label: ``fixed[price, 1]``,
    ``mean[time, 2]``, ``sd[time, 2]``. Estimators number classes by their share, the largest first.

    Examples
    --------
    >>> print(LatentClass("price", "time", classes=3, share="1 + age"))
    3 latent classes of price, time (shares 1 + age)
    >>> from bayesmix import Normal
    >>> print(LatentClass("price", Normal("time")))
    2 latent classes of price; independent normal: time
    """
    if not members:
        raise SpecificationError("LatentClass names no term: write LatentClass('price', classes=2)")
    for member in members:
        if not isinstance(member, str | Law) or member == "":
            raise SpecificationError(
                "LatentClass: members are names of columns of the design, such as 'price', or laws "
                f"such as Normal('time'), got {member!r}"
            )
    if isinstance(classes, bool) or not isinstance(classes, int | np.integer) or classes < 2:
        raise SpecificationError(
            f"LatentClass: argument 'classes' must be a whole number of at least 2, got "
            f"{classes!r}: one class is the model without LatentClass"
        )
    if not isinstance(share, str) or not share.strip():
        raise SpecificationError(
            f"LatentClass: argument 'share' is a formula in covariates of persons, such as "
            f"'1 + age', got {share!r}"
        )
    check_mean(share.strip(), ROLE, trust=True)  # the model says whether it is trusted
    return Classes(tuple(members), index(classes), share.strip())


def share_covariates(
    latent: Classes,
    data: ChoiceData,
    like: Covariates | None = None,
    *,
    trust: bool = False,
    learnt: Learnt | None = None,
) -> Covariates:
    """Covariates (I, Q) of the class shares, the constant first where the formula has one.

    ``trust`` and ``learnt`` are those of `bayesmix.formulas.formula.evaluate`.

    Raises
    ------
    SpecificationError, DataError
        As `bayesmix.specification.covariates.covariates`.
    """
    # The same checks and states as those of means: the shares' index is one more linear index.
    index_of_shares = Coefficient("share", mean=latent.share)
    found = covariates((index_of_shares,), data, like, ROLE, trust=trust, learnt=learnt)
    if found.centred:
        return found
    ones = np.ones((data.n_persons, 1))
    return replace(found, values=np.concatenate([ones, found.values], axis=1))
