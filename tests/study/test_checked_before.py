"""What a run would refuse without any estimate, `check_study` refuses, in a study's own words."""

import re

import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.study import check_study, read_study
from bayesmix.study.words import in_words_of_studies
from tests.study.demand_study import written

PYTHON = re.compile(
    r"\bbm\.|=True|=False|\w\(\.\.\.|argument '|costs=|with_alternative|[a-z]=['\"(\[{]"
)
CONTROL = (
    '[endogeneity]\nprice = "price"\ninstruments = "cost"\non = ["id", "chid", "alt"]\n\n[priors]'
)
POSTERIOR = '[priors]\n"mean[quality]" = [0, 2]\nsd = {law = "half-student-t", nu = 4, sigma = 1}\n'
ENTRY = '[[scenario]]\nkind = "entry"\nname = "new"'
LAW = 'law = "normal"\nterms = ["quality"]'
CLASSES = 'law = "latent-class"\nterms = ["quality"]'
METHODS = 'methods = ["msle", "importance"]'
ONE = (POSTERIOR, ""), (METHODS, 'methods = ["msle", "msm"]')


def without(*methods: str) -> tuple[tuple[str, str], ...]:
    """The study with these methods, and without priors."""
    listed = ", ".join(f'"{name}"' for name in methods)
    return (POSTERIOR, ""), (METHODS, f"methods = [{listed}]")


REFUSED = {
    "an entry that a control function has no residual of": (
        (("[priors]", CONTROL),),
        r'\[\[scenario\]\] number 5: scenario \'.*\'.*key new = "zero" of \[endogeneity\]',
    ),
    "segments that vary within situations": (
        (("elasticities =", 'by = "quality"\nelasticities ='),),
        r"\[demand\]: .*key 'by': column 'quality' varies within situations",
    ),
    "a product that is new, without a cost": (
        (("like = 1\n", ""), ('firm = "D"', 'firm = "D", quality = 0.0, cost = 1.0, region = 1')),
        r"scenario 'new': product 'new' is new in \d markets.*the key cost of the scenario",
    ),
    "a rate of a tax below -1": (
        (("specific = 0.2", "ad_valorem = -2"),),
        r"scenario 'tax': key 'ad_valorem'",
    ),
    "nobody is offered anything": (
        (("alternatives = [3]", "alternatives = [1, 2, 3]"),),
        r"scenario 'no 3': .*offers no product",
    ),
    "a cluster that varies within persons": (
        (('cluster = "region"', 'cluster = "quality"'),),
        r"\[estimate\]: .*'quality'",
    ),
    "moments of classes": (
        ((LAW, CLASSES), *without("msle", "msm")),
        r"\[estimate\]: .*leave 'msm' out of the methods",
    ),
    "scores of classes": (
        ((LAW, CLASSES), *without("mss")),
        r"\[estimate\]: .*latent class",
    ),
    "importance sampling of classes": (
        ((LAW, CLASSES), (POSTERIOR, "")),
        r"\[estimate\]: .*importance sampling is not for this model: latent classes",
    ),
    "persons that are sampled by importance": (
        (("draws = 100", 'draws = 100\nlikelihood = "hierarchical"'),),
        r"\[estimate\]: .*persons are sampled",
    ),
    "chains of classes in segments": (
        ((LAW, CLASSES), *without("nuts"), ("chains = 1", "chains = 1\ncheckpoint = true")),
        r"\[estimate\]: .*key 'checkpoint'",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_check_refuses_what_a_run_would_and_speaks_of_keys(name: str) -> None:
    changes, words = REFUSED[name]
    path = written(*changes)
    with pytest.raises((bm.SpecificationError, bm.DataError), match=words) as caught:
        check_study(read_study(path))
    assert re.search(r"line \d+", str(caught.value))
    assert not PYTHON.search(str(caught.value).partition(": ")[2])


def test_check_refuses_shares_and_prices_that_no_market_has() -> None:
    path = written()
    shares = pd.read_csv(path.parent / "shares.csv")
    shares.assign(share=shares["share"] + 0.5).to_csv(path.parent / "shares.csv", index=False)
    with pytest.raises(bm.DataError, match=r"\[market\]: .*sum"):
        check_study(read_study(path))
    shares.iloc[1:].to_csv(path.parent / "shares.csv", index=False)
    with pytest.raises(bm.DataError, match=r"\[market\]: .*"):
        check_study(read_study(path))
    path = written()
    rows = pd.read_csv(path.parent / "choices.csv")
    rows.loc[0, "price"] += 0.1
    rows.to_csv(path.parent / "choices.csv", index=False)
    with pytest.raises(bm.DataError, match=r"\[firms\]: column 'price' varies within") as caught:
        check_study(read_study(path))
    assert not PYTHON.search(str(caught.value).partition(": ")[2])


def test_entries_pass_where_new_levels_have_no_residual() -> None:
    control = CONTROL.replace("[priors]", 'new = "zero"\n\n[priors]').replace(
        '"alt"]\n\n', '"alt"]\n'
    )
    check_study(read_study(written(("[priors]", control))))


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("give it LogNormal(..., sign=-1)", 'give it law = "lognormal", sign = -1'),
        ("use sign=1, or Normal('cost')", 'law = "normal", terms = ["cost"]'),
        ("or fit by bm.msle", "or fit by 'msle' in [estimate]"),
        ("use msle, or hold parameters at a value, fixed=", "use 'msle' in [estimate], or hold"),
        ("outside_option=True", "outside_option = true in [data]"),
        ("take likelihood='marginal', or", 'take the key likelihood = "marginal" of [estimate]'),
    ],
)
def test_remedies_are_keys(python: str, words: str) -> None:
    assert words in in_words_of_studies(python)
