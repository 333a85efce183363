"""Fits on disk: one JSON file, readable by people, versioned, without pickles.

A grid is stored as what it is made of (rule, key, anchor), and made again from the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.centring.stored_grid import read_grid
from bayesmix.classical.estimates import OF_TYPES, Estimates
from bayesmix.classical.first_stage_errors import first_stage_of
from bayesmix.classical.gmm import Overidentification
from bayesmix.classical.market_constants import (
    read_constants,
    with_stored,
    without_own,
    write_constants,
)
from bayesmix.classical.stored_certificate import read_certificate, write_certificate
from bayesmix.classical.stored_information import array_of, read_information, write_information
from bayesmix.data.choices import ChoiceData
from bayesmix.data.fingerprint import fingerprint
from bayesmix.data.known_utility import check_offset
from bayesmix.errors import DataError, IntegrationError, SpecificationError
from bayesmix.files import save_text
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.record import model_from_record, model_record

FORMAT = 4
KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("estimator", "message"), str),
    **dict.fromkeys(("loglik", "loglik_multinomial", "seconds"), float | int | None),
    "converged": bool,
}
"""Fields that a fit has as they are stored."""
ESTIMATORS = ("MSLE", "MSM", "MSS", *OF_TYPES)
NUMBERLESS = (OverflowError, MemoryError)
"""What numbers raise that are no numbers of nodes, persons or keys."""
SAME = 1e-7
"""Share by which a log-likelihood may differ on another machine."""


def save(fit: Estimates, path: str | PathLike[str]) -> None:
    """Write ``fit`` to ``path``."""
    record = {
        "format": FORMAT,
        "estimator": fit.estimator,
        "model": model_record(fit.model),
        "first_stage": first_stage_of(fit),
        "params": dict(fit.params),
        "std_errors": dict(fit.std_errors),
        "theta": fit.theta,
        "loglik": fit.loglik,
        "loglik_multinomial": fit.loglik_multinomial,
        "information": write_information(fit.information),
        "grid": fit.grid.record,
        "integration": write_certificate(fit.integration, fit.problem.data.persons),
        "optima": fit.optima.reset_index().to_dict(orient="list"),
        "converged": fit.converged,
        "message": fit.message,
        "at_bounds": list(fit.at_bounds),
        "offset": fit.offset,
        "n_persons": fit.n_persons,
        "n_situations": fit.n_situations,
        "seconds": fit.seconds,
        "overidentification": fit.overidentification and asdict(fit.overidentification),
        "market_constants": write_constants(fit.market_constants),
    }
    save_text(path, json.dumps(_plain(record), indent=1, allow_nan=False))


def load[Kind: Estimates](
    kind: type[Kind], path: str | PathLike[str], data: ChoiceData, *, trust: bool = False
) -> Kind:
    """The estimates stored at ``path``, as a ``kind``; the grid is made again from ``data``.

    Raises
    ------
    DataError
        If the file is no fit or of another version, or the data are not those of the fit.
    SpecificationError
        If its formula holds code, and ``trust`` is not given.
    """
    record = _record(path)
    try:
        return _fit(kind, _problem(record, path, data, trust), record, path)
    except (KeyError, TypeError, AttributeError, IndexError, *NUMBERLESS) as error:
        raise _damaged(path, error) from error
    except ValueError as error:  # ours say what is wrong, NumPy's and pandas' do not
        if isinstance(error, DataError | SpecificationError | IntegrationError):
            raise
        raise _damaged(path, error) from error


def _damaged(path: str | PathLike[str], error: Exception) -> DataError:
    return DataError(
        f"{path} is damaged, or no fit ({type(error).__name__}: {error}): give a file as "
        "fit.save(path) wrote it, or fit again"
    )


def _problem(
    record: dict[str, Any], path: str | PathLike[str], data: ChoiceData, trust: bool
) -> Problem:
    """The stored model on ``data``, which are refused where they cannot be the fit's."""
    if record["format"] != FORMAT:
        raise DataError(
            f"{path}: format {record['format']!r}, this version reads {FORMAT}: fit again"
        )
    if (record["n_persons"], record["n_situations"]) != (data.n_persons, data.n_situations):
        raise DataError(
            f"{path}: a fit to {record['n_persons']} persons and {record['n_situations']} "
            f"situations, the data have {data.n_persons} and {data.n_situations}: pass its data"
        )
    data = with_stored(record.get("market_constants"), data)
    if "offset" in record:  # files of the first versions of this format say nothing of it
        check_offset(data, record["offset"], f"{path}: the fit")
    problem = bind(model_from_record(record["model"], trust=trust), data)
    if problem.design.residuals is None:
        return problem
    gamma = array_of(record["first_stage"])
    if gamma.shape != problem.design.residuals.first.gamma.shape:
        raise DataError(
            f"{path}: a first stage with {gamma.size} coefficients, which on these data has "
            f"{len(problem.design.residuals.first.gamma)}: pass the fit's data"
        )
    return problem.at_first_stage(gamma)


def _fit[Kind: Estimates](
    kind: type[Kind], problem: Problem, record: dict[str, Any], path: str | PathLike[str]
) -> Kind:
    data = problem.data
    optima = pd.DataFrame(record["optima"]).set_index("start")
    test = record.get("overidentification")
    for name, plain in KINDS.items():
        if not isinstance(record[name], plain):
            raise TypeError(f"{name} is {record[name]!r}")
    at_bounds = record.get("at_bounds", [])  # earlier builds did not write them
    if not isinstance(at_bounds, list) or not set(at_bounds) <= set(problem.parameters.names):
        raise TypeError(f"at_bounds is {at_bounds!r}")
    if record["estimator"] not in ESTIMATORS:
        raise TypeError(f"estimator is {record['estimator']!r}")
    fit = kind(
        model=problem.model,
        space=problem.parameters,
        theta=array_of(record["theta"]),
        information=read_information(record["information"], problem),
        grid=read_grid(record["grid"], problem),
        integration=read_certificate(record["integration"], problem),
        optima=optima,
        n_persons=data.n_persons,
        n_situations=data.n_situations,
        fingerprint=fingerprint(without_own(record.get("market_constants"), data)),
        problem=problem,
        at_bounds=tuple(at_bounds),
        overidentification=test and Overidentification(**test),
        market_constants=read_constants(record.get("market_constants"), data),
        **{name: record[name] for name in KINDS},
    )
    _check_loglik(fit, problem, path)
    return fit


def _record(path: str | PathLike[str]) -> dict[str, Any]:
    """What the file holds, refused unless `save` wrote it."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):  # neither text nor JSON, or nested too deeply
        record = None
    if not isinstance(record, dict) or not {"format", "estimator", "theta"} <= set(record):
        raise DataError(f"{path} is not a fit: give a file that fit.save(path) wrote")
    return record


def _check_loglik(fit: Estimates, problem: Problem, path: str | PathLike[str]) -> None:
    """Refuse data, or a grid, on which the log-likelihood is not the stored one."""
    logp, _ = Likelihood(problem, fit.grid).by_person(fit.theta)
    value = float(weighted_sum(problem.data.weights, logp))
    if not abs(value - fit.loglik) <= SAME * (1.0 + abs(fit.loglik)):
        raise DataError(
            f"{path}: a fit with log-likelihood {fit.loglik:.6f}, which is {value:.6f} on these "
            "data: they have other choices, attributes or weights; pass its data"
        )


def _plain(value: Any) -> Any:
    """Values that JSON knows; NaN becomes null, integers of any size stay exact."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
