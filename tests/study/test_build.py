"""A study's data, model and rule, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bayesmix import (
    CensoredNormal,
    Correlated,
    Exponential,
    Gamma,
    JohnsonSB,
    LogNormal,
    Normal,
    NormalMixture,
    SemiNonparametric,
    Triangular,
    TruncatedNormal,
    Uniform,
    YeoJohnson,
)
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration import rules
from bayesmix.specification.classes import LatentClass
from bayesmix.study import check_study, read_study

MODELS = Path(__file__).parents[2] / "models"
Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "size"),
    [("electricity", 27), ("electricity_independent", 12), ("electricity_lognormal", 12)],
)
def test_committed_studies_are_valid(name: str, size: int) -> None:
    built = check_study(read_study(MODELS / f"{name}.toml"))
    assert built.data.n_situations == 4308
    assert built.model.design(built.data).parameters.size == size
    assert built.rule == rules.centred(rules.sobol(256))
    assert f"{size} parameters" in str(built)


@pytest.mark.parametrize(
    ("table", "method", "words"),
    [
        ('[fixed]\n"sd[time]" = 0', "nuts", r"\[fixed\]: .*no standard deviation at 0.*'nuts'"),
        ('[constraints.bounds]\n"fixed[price]" = [-inf, 0]', "msm", "msm knows no bounds.*'msm'"),
        ('[constraints.bounds]\n"fixed[price]" = [-inf, 0]', "mss", "mss knows no bounds"),
        ('[constraints.bounds]\n"fixed[price]" = [-inf, 0]', "nuts", "nor bound.*'nuts'"),
        ('[fixed]\n"sd[time]" = 0', "importance", r"no standard deviation at 0.*'importance'"),
        (
            '[fixed]\n"sd[time]" = 1\n"mean[time]" = 0\n"fixed[price]" = 0',
            "msm",
            "leave 'msm' nothing to estimate",
        ),
    ],
)
def test_what_a_method_does_not_take_is_said_before_it_runs(
    write_study: Write, table: str, method: str, words: str
) -> None:
    text = f'{table}\n\n[estimate]\nmethods = ["msle", "{method}"]\n'
    with pytest.raises(SpecificationError, match=words):
        check_study(read_study(write_study(("[estimate]\n", text))))


def test_latent_classes_are_built(write_study: Write) -> None:
    text = (
        'law = "latent-class"\nterms = ["price"]\nclasses = 3\n'
        '[[random.laws]]\nlaw = "normal"\nterms = ["time"]\n'
    )
    path = write_study(('law = "normal"\nterms = ["time"]', text))
    built = check_study(read_study(path))
    assert built.model.latent == LatentClass("price", Normal("time"), classes=3)
    assert "3 latent classes of price; independent normal: time" in str(built)


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ('"uniform"', Uniform("time")),
        ('"triangular"', Triangular("time")),
        (
            '"triangular"\nzero_bounded = true\nsign = -1',
            Triangular("time", zero_bounded=True, sign=-1),
        ),
        ('"truncated-normal"\nupper = 0', TruncatedNormal("time", upper=0)),
        ('"censored-normal"\nlower = -2\nupper = 0', CensoredNormal("time", lower=-2, upper=0)),
        ('"johnson-sb"\nlower = -3\nupper = 0', JohnsonSB("time", lower=-3, upper=0)),
        ('"exponential"\nsign = -1', Exponential("time", sign=-1)),
        ('"gamma"\nsign = -1', Gamma("time", sign=-1)),
        ('"yeo-johnson"\nmean = "0"', YeoJohnson("time", mean="0")),
        ('"normal-mixture"\ncomponents = 3', NormalMixture("time", components=3)),
        ('"semi-nonparametric"\ndegree = 3', SemiNonparametric("time", degree=3)),
    ],
)
def test_every_law_is_built(write_study: Write, text: str, law: object) -> None:
    path = write_study(('law = "normal"\nterms = ["time"]', f'law = {text}\nterms = ["time"]'))
    assert check_study(read_study(path)).model.random == (law,)


def test_a_file_is_found_beside_the_study(
    write_study: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_study()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    built = check_study(read_study(path))
    assert (built.data.n_persons, built.data.n_situations) == (12, 36)
    assert str(built.rule) == "sobol(32)"


def test_parquet_holds_the_same_data(write_study: Write, tmp_path: Path) -> None:
    from_csv = check_study(read_study(write_study())).data
    pd.read_csv(tmp_path / "choices.csv").to_parquet(tmp_path / "choices.parquet")
    path = write_study(("choices.csv", "choices.parquet"))
    pd.testing.assert_frame_equal(check_study(read_study(path)).data.frame, from_csv.frame)


@pytest.mark.parametrize(
    ("new", "printed"),
    [
        ('rule = "sobol"\nnodes = 8\ncentred = true', rules.centred(rules.sobol(8))),
        (
            'rule = "mlhs"\nnodes = 8\ncentred = true\nmoments = true',
            rules.centred(rules.mlhs(8), moments=True),
        ),
        (
            'rule = "sobol"\nnodes = 8\ncentred = true\nhalves = true',
            rules.centred(rules.sobol(8), halves=True),
        ),
        ('rule = "halton"\nnodes = 8', rules.halton(8)),
        ('rule = "mlhs"\nnodes = 8', rules.mlhs(8)),
        ('rule = "monte-carlo"\nnodes = 8', rules.monte_carlo(8)),
        ('rule = "gauss-hermite"\npoints = 5', rules.gauss_hermite(5)),
        (
            'rule = "gauss-hermite"\npoints = 15\ncentred = true',
            rules.centred(rules.gauss_hermite(15)),
        ),
        ('rule = "trapezoid"\npoints = 128', rules.trapezoid(128)),
        ('rule = "sparse"\nlevel = 3\nfamily = "gqn"', rules.sparse(3, "gqn")),
        ('rule = "auto"', "auto"),
    ],
)
def test_rules(write_study: Write, new: str, printed: object) -> None:
    path = write_study(('rule = "sobol"\nnodes = 32', new))
    assert check_study(read_study(path)).rule == printed


def test_laws(write_study: Write) -> None:
    nested = (
        'law = "correlated"\neta = 1.5\n[[random.laws]]\nlaw = "normal"\nterms = ["time"]\n'
        '[[random.laws]]\nlaw = "lognormal"\nterms = ["price"]\nsign = -1'
    )
    path = write_study(('law = "normal"\nterms = ["time"]', nested))
    expected = Correlated(Normal("time"), LogNormal("price", sign=-1), eta=1.5)
    assert check_study(read_study(path)).model.random == (expected,)


def test_a_cross_section_has_no_person(write_study: Write, tmp_path: Path) -> None:
    path = write_study(('person = "id"\n', ""))
    frame = pd.read_csv(tmp_path / "choices.csv")
    frame["chid"] += 3 * frame["id"]
    frame.to_csv(tmp_path / "choices.csv", index=False)
    assert check_study(read_study(path)).data.n_persons == 36


@pytest.mark.parametrize(
    ("old", "new", "error", "expected"),
    [
        ('chosen = "choice"', 'chosen = "chioce"', DataError, "[data]: "),
        ('chosen = "choice"\n', "", SpecificationError, "[data]: key 'chosen' is missing"),
        ("choices.csv", "absent.csv", SpecificationError, "key 'file': no file '"),
        ("choices.csv", "choices.docx", SpecificationError, "expected one of .csv, .csv.gz, .tsv"),
        ('file = "choices.csv"\n', "", SpecificationError, "one of the keys 'example' and 'file'"),
        ("[utility]", 'example = "electricity"\n[utility]', SpecificationError, "'file', not both"),
        ('"price + time"', '"price + tiem"', ValueError, "[utility]: "),
        ('["time"]', '["tiem"]', SpecificationError, "did you mean 'time'?"),
        ('["time"]', '["time"]\n[[random]]\nlaw = "normal"\nterms = ["time"]', SpecificationError,
         "[utility]: term 'time' is given two laws"),
        ("nodes = 32", "nodes = 2000000", SpecificationError, "[grid]: key 'nodes': expected"),
        ("nodes = 32", "nodes = 32\nmoments = true", SpecificationError, "'moments' needs centred"),
        ('"normal"', '"lkj-normal"', SpecificationError, "[[random]]: a correlated law needs two"),
    ],
)  # fmt: skip
def test_errors_name_file_and_table(
    write_study: Write, old: str, new: str, error: type[ValueError], expected: str
) -> None:
    path = write_study((old, new))
    with pytest.raises(error) as caught:
        check_study(read_study(path))
    assert str(caught.value).startswith(str(path))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("person", '"household"', "key 'person': the example's column is 'id', got 'household'"),
        ("outside_option", "true", "key 'outside_option' cannot go with an example"),
        ("weights", '"id"', "key 'weights' cannot go with an example"),
    ],
)
def test_an_example_has_its_own_columns(
    tmp_path: Path, key: str, value: str, expected: str
) -> None:
    path = tmp_path / "study.toml"
    head = f'[data]\nexample = "electricity"\n{key} = {value}\n'
    path.write_text(head + '[utility]\nformula = "pf"\n')
    with pytest.raises(SpecificationError) as caught:
        check_study(read_study(path))
    assert expected in str(caught.value)


def test_a_damaged_file_is_named(write_study: Write, tmp_path: Path) -> None:
    path = write_study(("choices.csv", "choices.parquet"))
    (tmp_path / "choices.parquet").write_bytes(b"not parquet")
    with pytest.raises(SpecificationError, match=r"is not a readable \.parquet file"):
        check_study(read_study(path))


def test_rankings_and_known_utilities(write_study: Write, tmp_path: Path) -> None:
    study = check_study(read_study(write_study()))
    frame = study.data.frame
    column = study.data.chosen
    frame = frame.assign(rank=frame[column].where(frame[column] == 1), known=0.5, q=0.5)
    frame.drop(columns=column).to_csv(tmp_path / "ranked.csv", index=False)
    path = write_study(
        ("choices.csv", "ranked.csv"),
        (f'chosen = "{column}"', 'ranked = "rank"\noffset = "known"\nsampling = "q"'),
    )
    data = check_study(read_study(path)).data
    assert data.known.offset == "known"
    assert data.known.sampled == "q"
    assert data.chosen_row.tolist() == study.data.chosen_row.tolist()
