"""Posteriors with a control function, which has to be a part of the model."""

import pytest

import bayesmix as bm
from tests.markets_with_shocks import control, data_of, frame


def test_posteriors_are_refused_in_words() -> None:
    data, model = data_of(frame(1)), bm.MixedLogit("price + quality", control=control())
    for verb in (bm.sample, bm.pymc_model, bm.priors, bm.prior_predictive):
        with pytest.raises(bm.SpecificationError, match="first stage as a part of the model"):
            verb(model, data)
