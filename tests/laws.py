"""Every mixing law once, for tests that go over all of them: a new law is a line here."""

from dataclasses import replace

from bayesmix import (
    CensoredNormal,
    Correlated,
    Exponential,
    Gamma,
    JohnsonSB,
    LogNormal,
    Normal,
    SemiNonparametric,
    Triangular,
    TruncatedNormal,
    Uniform,
    YeoJohnson,
)

LAWS = {
    "normal": Normal("x"),
    "lognormal": LogNormal("x"),
    "negative lognormal": LogNormal("x", sign=-1),
    "uniform": Uniform("x"),
    "triangular": Triangular("x"),
    "zero-bounded triangular": Triangular("x", zero_bounded=True),
    "negative zero-bounded triangular": Triangular("x", zero_bounded=True, sign=-1),
    "truncated below": TruncatedNormal("x", lower=0),
    "truncated above": TruncatedNormal("x", upper=0.5),
    "truncated on both sides": TruncatedNormal("x", lower=-1, upper=0.5),
    "censored below": CensoredNormal("x", lower=0),
    "censored above": CensoredNormal("x", upper=0),
    "censored on both sides": CensoredNormal("x", lower=-1, upper=0.5),
    "exponential": Exponential("x"),
    "negative exponential": Exponential("x", sign=-1),
    "gamma": Gamma("x"),
    "negative gamma": Gamma("x", sign=-1),
    "johnson": JohnsonSB("x", lower=-2, upper=1),
    "yeo-johnson": YeoJohnson("x"),
    "semi-nonparametric": SemiNonparametric("x", degree=3),
}

CORRELATED = {
    name: Correlated(Normal("y"), law) for name, law in LAWS.items() if not name.startswith("neg")
}


def coefficient(name):
    """The law's only coefficient; the shapes of laws that have some are 0.7."""
    (own,) = LAWS[name].coefficients
    return replace(own, shape=(0.7,) * len(own.law.shapes))
