"""An inverse-Wishart prior of a correlated block's covariance, as hierarchical logits often have.

``Sigma ~ IW(df, V)``, density in proportion to ``|Sigma|^-((df + K + 1) / 2) exp(-tr(V Sigma^-1) /
2)``, mean ``V / (df - K - 1)``. Models move its Cholesky factor ``L``; with ``V = C C'`` that is
``L = C B^-1``, ``B`` lower triangular with independent entries (Bartlett 1933): standard normals
below the diagonal, and ``B_kk^2`` chi-squared with ``df - K + k`` degrees of freedom, k = 1 .. K.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import ArrayLike
from pytensor.tensor.linalg import solve_triangular
from scipy.special import multigammaln

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.bayes.graph import product
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem


@dataclass(frozen=True, eq=False)
class InverseWishart:
    """Prior of the covariance of a correlated law's K indices, and of their means given it.

    ``Sigma ~ IW(df, scale)`` in place of the LKJ and half-normal priors of the block, as in
    ``priors={"cov": bm.InverseWishart(mean_precision=0.01)}``, which is the default prior of
    bayesm's hierarchical multinomial logit. It says much about standard deviations: hardly any
    mass is near 0, and a larger one goes with larger correlations.

    Parameters
    ----------
    df
        Degrees of freedom, above K - 1 for a proper law; K + 3 by default.
    scale
        V: a number times the identity, K numbers of its diagonal, or a positive definite (K, K)
        matrix; df times the identity by default.
    mean_precision
        The means' prior is ``N(mean_location, Sigma / mean_precision)``. By default they keep
        priors of their own, which know nothing of the covariance.
    mean_location
        A number, or K of them.

    Raises
    ------
    SpecificationError
        If a number is not finite or not positive where it must be, here; where it does not fit the
        block's K, in the function that the prior is given to.

    References
    ----------
    Rossi, Allenby and McCulloch (2005), chapters 3 and 5.

    Examples
    --------
    >>> InverseWishart(df=8.0, mean_precision=0.01)
    InverseWishart(df=8, scale=default, mean_precision=0.01, mean_location=0.0)
    """

    df: float | None = None
    scale: ArrayLike | None = None
    mean_precision: float | None = None
    mean_location: ArrayLike = 0.0

    def __post_init__(self) -> None:
        for name in ("df", "mean_precision"):
            value = getattr(self, name)
            if value is not None:
                arguments.real(name, value, above=0)
        if self.scale is not None:
            _check_numbers("scale", self.scale)
        _check_numbers("mean_location", self.mean_location)

    def __repr__(self) -> str:
        df = "default" if self.df is None else f"{self.df:g}"
        scale = "default" if self.scale is None else np.asarray(self.scale).tolist()
        return (
            f"InverseWishart(df={df}, scale={scale}, mean_precision={self.mean_precision}, "
            f"mean_location={np.asarray(self.mean_location).tolist()})"
        )


def _check_numbers(name: str, value: Any) -> None:
    """Refuse what is not a finite number, or an array of some."""
    try:
        numbers = np.asarray(value)
        good = numbers.dtype.kind in "iuf" and bool(numbers.size and np.isfinite(numbers).all())
        square = numbers.ndim < 2 or (numbers.ndim == 2 and len(set(numbers.shape)) == 1)
        good = bool(good and (square if name == "scale" else numbers.ndim < 2))
    except ValueError:
        good = False
    if not good:
        kind = "a number, numbers or a square matrix" if name == "scale" else "numbers"
        raise arguments.refused(name, f"{kind}, all finite", value)


@dataclass(frozen=True, eq=False)
class Covariance:
    """An inverse-Wishart prior of a block of K coefficients, with its defaults filled in.

    Parameters
    ----------
    df
        Degrees of freedom.
    root
        Cholesky factor C (K, K) of the scale.
    mean_location, mean_precision
        Of the means given the covariance; a precision of None where they have other priors.
    """

    df: float
    root: Array
    mean_location: Array
    mean_precision: float | None

    def log_density(self, chol: Any, mean: Any) -> Any:
        """Log-density, up to a constant, of the free entries of ``L`` and, given it, the means.

        ``p(L) = p(Sigma) 2^K prod_k L_kk^(K - k + 1)``, k = 1 .. K.
        """
        size = len(self.root)
        logs = pt.log(pt.diagonal(chol))
        total = -((self.df + np.arange(1, size + 1)) * logs).sum()
        total -= 0.5 * (solve_triangular(chol, self.root, lower=True) ** 2).sum()
        if self.mean_precision is not None:
            z = solve_triangular(chol, mean - self.mean_location, lower=True)
            total -= 0.5 * self.mean_precision * (z**2).sum() + logs.sum()
        return total

    @property
    def constant(self) -> float:
        """What `log_density` leaves out."""
        size, df = len(self.root), self.df
        logs = float(np.log(np.diag(self.root)).sum())
        total = df * logs + size * (1 - df / 2) * np.log(2) - multigammaln(df / 2, size)
        if self.mean_precision is not None:
            total += 0.5 * size * np.log(self.mean_precision / (2 * np.pi))
        return float(total)

    def value_and_gradient(self, chol: Array, mean: Array) -> tuple[float, Array, Array]:
        """`log_density` as a number, and its derivatives by ``L`` (K, K) and the means (K,)."""
        logs, rank = np.log(np.diag(chol)), np.arange(1, len(chol) + 1)
        inverse = np.linalg.inv(chol)
        a = inverse @ self.root
        value = -((self.df + rank) * logs).sum() - 0.5 * (a**2).sum()
        d_chol = inverse.T @ a @ a.T - np.diag((self.df + rank) / np.diag(chol))
        if self.mean_precision is None:
            return float(value), np.tril(d_chol), np.zeros(len(mean))
        z = inverse @ (mean - self.mean_location)
        value -= 0.5 * self.mean_precision * (z**2).sum() + logs.sum()
        d_mean = -self.mean_precision * inverse.T @ z
        d_chol -= np.outer(d_mean, z) + np.diag(1.0 / np.diag(chol))
        return float(value), np.tril(d_chol), d_mean

    def covariance_log_density(self, chol: Array, mean: Array) -> Array:
        """Whole log-density of ``L L'`` (and the means given it), of many ``L`` (..., K, K)."""
        size = len(self.root)
        logs = np.log(np.diagonal(chol, axis1=-2, axis2=-1))
        inverse = np.linalg.inv(chol)
        total = self.constant - size * np.log(2)
        total = total - (self.df + size + 1) * logs.sum(axis=-1)
        total -= 0.5 * ((inverse @ self.root) ** 2).sum(axis=(-1, -2))
        if self.mean_precision is not None:
            z = np.einsum("...kj,...j->...k", inverse, mean - self.mean_location)
            total -= 0.5 * self.mean_precision * (z**2).sum(axis=-1) + logs.sum(axis=-1)
        return np.asarray(total)

    def factor(self, label: str) -> Any:
        """The random Cholesky factor, in the variables of Bartlett's decomposition."""
        size = len(self.root)
        square = pm.ChiSquared(f"square_{label}", self.df - size + np.arange(1, size + 1))
        below = pm.Normal(f"below_{label}", 0.0, 1.0, shape=size * (size - 1) // 2)
        rows, columns = np.tril_indices(size, -1)
        whole = pt.diag(pt.sqrt(square))[rows, columns].set(below)
        inverse = solve_triangular(whole, np.eye(size), lower=True)
        return product(pt.constant(self.root), inverse)

    def means(self, label: str, chol: Any) -> Any:
        """The random means given the factor."""
        assert self.mean_precision is not None
        z = pm.Normal(f"location_{label}", 0.0, 1.0, shape=len(self.root))
        return self.mean_location + product(chol, z) / np.sqrt(self.mean_precision)

    def initial(self, label: str, chol: Array, mean: Array) -> dict[str, Array]:
        """Values of the random variables at which factor and means are these."""
        whole = np.linalg.solve(chol, self.root)
        values = {
            f"square_{label}": np.diag(whole) ** 2,
            f"below_{label}": whole[np.tril_indices(len(whole), -1)],
        }
        if self.mean_precision is not None:
            z = np.linalg.solve(chol, mean - self.mean_location)
            values[f"location_{label}"] = z * np.sqrt(self.mean_precision)
        return values

    def __str__(self) -> str:
        scale = self.root @ self.root.T
        same = np.allclose(scale, scale[0, 0] * np.eye(len(scale)), rtol=1e-12)
        words = f"{scale[0, 0]:g} I" if same else str(scale.round(6).tolist())
        return f"inverse-Wishart(df={self.df:g}, scale={words})"


def read_covariances(problem: Problem, given: Mapping[str, Any]) -> list[Covariance | None]:
    """The inverse-Wishart prior of each law of the model, where there is one.

    ``given`` is by ``"cov[a, b]"``, the terms of a correlated law, or ``"cov"`` where there is one
    such law.

    Raises
    ------
    SpecificationError
        If a name is of no correlated law, a prior is of another kind or does not fit the law's K,
        or it is about means that the law does not have.
    """
    laws = problem.model.laws
    places = {f"cov[{', '.join(law.terms)}]": n for n, law in enumerate(laws) if law.correlated}
    found: list[Covariance | None] = [None] * len(laws)
    for name, prior in given.items():
        only = next(iter(places)) if name == "cov" and len(places) == 1 else name
        if only not in places:
            which = f"expected one of {list(places)}" if places else "no law is correlated"
            raise SpecificationError(f"priors: {name!r} names no correlated law; {which}")
        if not isinstance(prior, InverseWishart):
            raise SpecificationError(f"priors[{name!r}] must be a bm.InverseWishart, got {prior!r}")
        if found[places[only]] is not None:
            raise SpecificationError(f"priors: 'cov' and {only!r} are the same law's: give one")
        law = laws[places[only]]
        if prior.mean_precision is not None and any(c.mean == "0" for c in law.coefficients):
            raise SpecificationError(
                f"priors[{name!r}]: an error component (mean='0') has no mean, and the prior is "
                "about all means of the law: leave mean_precision out"
            )
        found[places[only]] = _filled(name, prior, len(law.coefficients))
    return found


def _filled(name: str, prior: InverseWishart, size: int) -> Covariance:
    """Defaults filled in, and everything of the law's size."""
    df = float(size + 3 if prior.df is None else prior.df)
    if df <= size - 1:
        raise SpecificationError(
            f"priors[{name!r}]: degrees of freedom must be above K - 1 = {size - 1} for the law's "
            f"{size} coefficients, got df={df:g}; the default is K + 3 = {size + 3}"
        )
    scale = np.asarray(df if prior.scale is None else prior.scale, dtype=float)
    if scale.shape not in ((), (size,), (size, size)):
        raise SpecificationError(
            f"priors[{name!r}]: scale must be a number, {size} of them, or a ({size}, {size}) "
            f"matrix, got shape {scale.shape}"
        )
    matrix = scale if scale.ndim == 2 else np.diag(np.broadcast_to(scale, size))
    location = np.asarray(prior.mean_location, dtype=float)
    if location.shape not in ((), (size,)) or not np.isfinite(location).all():
        raise SpecificationError(
            f"priors[{name!r}]: mean_location must be a finite number or {size} of them, got "
            f"{prior.mean_location!r}"
        )
    try:
        if not np.allclose(matrix, matrix.T, rtol=1e-10):
            raise np.linalg.LinAlgError
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise SpecificationError(
            f"priors[{name!r}]: scale must be symmetric and positive definite, got {prior.scale!r}"
        ) from None
    return Covariance(df, root, np.broadcast_to(location, size).copy(), prior.mean_precision)
