"""Studies of demand, markets and firms, with real estimators on a small file; and opened runs."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.study import check_study, read_study, run_study
from bayesmix.study.demand_schema import DemandTable
from bayesmix.study.quantities import quantities
from bayesmix.study.written import read_table
from tests.study.demand_study import GIVEN, STUDY, finished, opened, written


def test_a_run_opens_with_results_data_and_tables() -> None:
    run = opened()
    assert isinstance(run["msle"], bm.Fit)
    assert run["importance"]["posterior"].sizes["draw"] == 100
    assert run.data.n_situations == 120
    assert run.study.name == "firms"
    assert run.tables["comparison"].loc["fixed[price]", "MSLE estimate"] == pytest.approx(
        run["msle"].params["fixed[price]"], abs=1e-12
    )
    assert "Run of study 'firms': results msle, importance" in repr(run)
    assert "<table" in run._repr_html_()
    with pytest.raises(bm.SpecificationError, match="has no result 'nuts'; it has msle, import"):
        run["nuts"]


def test_tables_of_demand_are_what_functions_of_demand_say() -> None:
    run = opened()
    fit, data = run["msle"], run.data
    how = {"draws": 5, "nodes": 16, "rng": 1}
    shares = pd.Series(GIVEN, name="share")
    matched = bm.match_shares(fit, data, shares, market="market", **how)
    found = bm.diversion(fit, matched.data, "price", **how)
    table = run.tables["diversion"].query("method == 'MSLE' and kind == 'price'")
    wanted = found[["estimate", "low", "high"]].to_dataframe()[["estimate", "low", "high"]]
    np.testing.assert_allclose(table[["estimate", "low", "high"]], wanted, atol=1e-12)
    merged = bm.merger(
        fit, matched.data, bm.Firms("firm", market="market"), merge=("A", "B"),
        efficiencies={1: 0.05}, **how,
    )  # fmt: skip
    rows = run.tables["scenarios"].query(
        "method == 'MSLE' and scenario == 'A and B' and part == 'products' and product == '1'"
        " and market == 'south' and quantity == 'price_change'"
    )
    here = merged.products.sel(market="south", product=1, quantity="price_change")
    assert rows["estimate"].item() == pytest.approx(float(here["estimate"]), abs=1e-12)
    assert rows["high"].item() == pytest.approx(float(here["high"]), abs=1e-12)


def test_labels_in_tables_of_a_run_may_be_words_for_missing_values(tmp_path: Path) -> None:
    table = pd.DataFrame({"alternative": ["None", "NA", "bus"], "low": [0.1, np.nan, 0.3]})
    table.to_csv(tmp_path / "shares.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "shares.csv"), table)


def test_tables_of_a_run_are_as_they_were_written(tmp_path: Path) -> None:
    """Labels keep their zeros, and numbers their last digit."""
    table = pd.DataFrame(
        {
            "alternative": ["01", "1", "10"],
            "version": ["1.10", "1.1", "2.0"],
            "count": [1, 2, 30],
            "estimate": [0.1 + 0.2, -1e-300, np.nan],
            "high": [np.inf, -0.0, 9007199254740993.0],
            "whole": [True, False, True],
        }
    )
    table.to_csv(tmp_path / "shares.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "shares.csv"), table, check_exact=True)


def test_shares_are_those_of_the_market() -> None:
    table = opened().tables["shares"].query("method == 'MSLE'").set_index("alternative")
    assert table.loc["1", "estimate"] == pytest.approx((0.2 + 0.15) / 2, abs=1e-9)


def test_every_scenario_has_its_parts() -> None:
    table = opened().tables["scenarios"]
    assert set(table["method"]) == {"MSLE", "IMPORTANCE"}
    parts = table.groupby("scenario")["part"].unique().map(set)
    of_firms = {"products", "firms", "markets", "segments"}
    assert parts["A and B"] == parts["tax"] == of_firms
    assert parts["no 3"] == parts["new"] == of_firms | {"shares", "surplus"}
    assert parts["dearer 1"] == {"shares", "surplus"}  # a price that is given moves no others


def test_summary_holds_the_whole_fit_and_clusters() -> None:
    run = opened()
    text = (run.folder / "summary.txt").read_text()
    assert repr(run["msle"]) in text
    assert "by 'region', 10 clusters" in text
    assert "half-student-t" in text
    assert (run.folder / "diversion.png").stat().st_size > 5000


def test_demand_is_done_again_where_it_is_asked_otherwise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    whole = finished().parents[1]
    shutil.copytree(whole, tmp_path / "own", copy_function=shutil.copy2)
    path = tmp_path / "own" / "firms.toml"
    folder = path.parent / finished().relative_to(whole)
    before = (folder / "wtp.csv").stat().st_mtime_ns
    run_study(read_study(path), folder)
    assert "4/4 demand: finished earlier, used again" in capsys.readouterr().err
    assert (folder / "wtp.csv").stat().st_mtime_ns == before
    text = path.read_text(encoding="utf-8")
    few = text[: text.index("[market]")].replace('diversion = ["removal", "price"]\n', "")
    path.write_text(few.replace("surplus = true\n", ""), encoding="utf-8")
    again = run_study(read_study(path), folder, progress=False)
    assert set(again.demand.tables) == {"shares.csv", "elasticities.csv", "wtp.csv"}


def test_diversion_by_price_is_of_the_column_that_money_is_counted_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it is called: here it is quality, by the key price of the table."""
    run = opened()
    asked = []

    def recorded(result: bm.Fit, data: bm.ChoiceData, **given: Any) -> Any:
        asked.append((given["kind"], given.get("attribute")))
        return diversion(result, data, **given)

    diversion = bm.diversion
    monkeypatch.setattr(bm, "diversion", recorded)
    table = DemandTable(price="quality", diversion=("removal", "price"), draws=2, nodes=16)
    study = replace(run.study, demand=table, market=None, firms=None, scenario=())
    built = replace(check_study(run.study), study=study)
    found = quantities(built, {"MSLE": run["msle"]})
    assert asked == [("removal", None), ("price", "quality")]
    assert not found.missing


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('elasticities = ["price"]', 'elasticities = ["prize"]', r"line \d+, \[demand\]: .*'priz"),
        ('wtp = ["quality"]', 'wtp = ["qualty"]', r"key 'wtp': the utility has no term 'qualty'"),
        ('diversion = ["removal", "price"]', 'diversion = ["cost"]', r"\[demand\]: .*'cost'"),
        ('diversion = ["removal", "price"]', 'diversion = ["removl"]', "did you mean 'removal'"),
        ('diversion = ["removal", "price"]', 'price = "cost"\ndiversion = ["price"]',
         r"\[demand\]: .*'cost'"),
        ('ownership = "firm"', 'ownership = "frm"', r"\[firms\]: key 'ownership'"),
        ('firms = ["A", "B"]', 'firms = ["A", "X"]', r"'A and B': key 'firms': the data have no"),
        ("efficiencies = {1 = 0.05}", "efficiencies = {9 = 0.05}", "key 'efficiencies'"),
        ("alternatives = [3]", "alternatives = [7]", r"'no 3': key 'alternatives'"),
        ("multiply = 1.1\n", "", r"'dearer 1': give the new 'value'"),
        ("specific = 0.2\n", "", r"'tax': give a tax of a unit"),
        ('name = "tax"', 'name = "new"', r"two scenarios have the name 'new'"),
        ('column = "market"\n\n', 'column = "markt"\n\n', r"\[market\]: .*'markt'"),
        ('"mean[quality]" = [0, 2]', '"mean[quolity]" = [0, 2]', r"\[priors\]: .*quolity"),
        ("nu = 4, ", "", r'\[priors\]: "sd": .*nu'),
        ('methods = ["msle", "importance"]', 'methods = ["msle"]', r"\[priors\]: priors are of"),
        ('cluster = "region"', 'cluster = "regon"', r"\[estimate\]: .*'regon'"),
        ("draws = 5\n", "draws = 5\ninterval = 1.5\n", r"\[demand\]: key 'interval'"),
        ("chosen =", "population_shares = {1 = 0.2, 2 = 0.5}\nchosen =",
         r"\[data\]: .*several situations"),
    ],
)  # fmt: skip
def test_check_refuses_what_no_fit_could_answer(old: str, new: str, words: str) -> None:
    path = written((old, new))
    with pytest.raises((bm.SpecificationError, bm.DataError), match=words):
        check_study(read_study(path))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("multiply = 1.1", 'multiply = "1.1"', "[[scenario]] number 3, key 'multiply': expected a"),
        ('kind = "tax"', 'kind = "taks"', "[[scenario]] number 4, key 'kind': unknown value 'ta"),
        ("alternatives = [3]", "alternatives = 3", "key 'alternatives': expected a list of"),
        ("nodes = 16\n\n[market]", "nodes = 0\n\n[market]", "[demand], key 'nodes': expected"),
        ("[firms]", "[firm]", "unknown table 'firm'; did you mean 'firms'?"),
        ("surplus = true", "surpluss = true", "[demand]: unknown key 'surpluss'; did you mean"),
    ],
)
def test_mistakes_are_named_with_their_lines(old: str, new: str, words: str) -> None:
    path = written((old, new))
    with pytest.raises(bm.SpecificationError) as caught:
        read_study(path)
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(new)].count("\n") + 1
    assert f"{path}, line {line}" in str(caught.value)
    assert words in str(caught.value)


def test_priors_say_what_they_can_be() -> None:
    with pytest.raises(bm.SpecificationError, match='"sd": expected a number, two, or a law'):
        read_study(written(("sd = {law", "sd = {lw")))


def test_posteriors_take_control_functions_on_both_paths() -> None:
    table = '[endogeneity]\nprice = "price"\ninstruments = "cost"\non = ["id", "chid", "alt"]\n'
    table += 'new = "zero"\n'  # a scenario has an alternative that enters
    path = written(("[priors]", f"{table}[priors]"))
    check_study(read_study(path))
    text = path.read_text(encoding="utf-8").replace('"importance"]', '"nuts"]')
    path.write_text(text.replace("[estimate]\n", '[estimate]\nlikelihood = "hierarchical"\n'))
    check_study(read_study(path))


def test_control_functions_are_fitted_with_their_first_stage() -> None:
    stage = '[endogeneity]\nprice = "price"\ninstruments = "cost"\non = ["id", "chid", "alt"]\n'
    text = STUDY[: STUDY.index("[priors]")] + stage + STUDY[STUDY.index("[grid]") :]
    path = written()
    text = text[: text.index("[demand]")].replace('"importance"', '"msm"')
    path.write_text(text.replace('cluster = "region"\n', ""), encoding="utf-8")
    run = run_study(read_study(path), path.parent / "run", progress=False)
    for name in ("msle", "msm"):
        assert run.results[name].information.first is not None
    assert "fixed[residual[price]]" in run.results["msle"].params
    assert "cost" in (run.folder / "summary.txt").read_text()
    assert run.demand.tables == {}


class TestOpeningRefuses:
    def test_what_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(bm.SpecificationError, match="is no run folder: there is no 'run"):
            bm.open_run(tmp_path)

    def test_data_that_are_others(self, copied: Callable[[], Path]) -> None:
        folder = copied()
        file = folder.parents[1] / "choices.csv"
        file.write_text(file.read_text().replace("north", "nord"))
        with pytest.raises(bm.SpecificationError, match="were changed since, or are others"):
            bm.open_run(folder)
        file.unlink()
        with pytest.raises(bm.DataError, match="cannot be read"):
            bm.open_run(folder)

    def test_a_changed_result(self, copied: Callable[[], Path]) -> None:
        folder = copied()
        file = folder / "msle.json"
        file.write_text(file.read_text().replace("0.", "1.", 1))
        with pytest.raises(bm.DataError, match="is not as the run wrote it"):
            bm.open_run(folder)

    def test_a_moved_run_opens_with_its_study(self, copied: Callable[[], Path]) -> None:
        folder = copied()
        moved = folder.rename(folder.parents[2] / "moved")
        with pytest.raises(bm.DataError, match=r"say where it is: bm\.open_run"):
            bm.open_run(moved)
        study = folder.parents[1] / "firms.toml"
        assert "msle" in bm.open_run(moved, study=study).results


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[], Path]:
    """A copy of the finished run, with its study and data at the same places."""
    from shutil import copytree

    def copy() -> Path:
        whole = copytree(finished().parents[1], tmp_path / "copy")
        return whole / "runs" / "firms"

    return copy


def test_a_result_of_an_earlier_run_is_said(copied: Callable[[], Path]) -> None:
    """As where the study was run again, with the fit alone and another seed."""
    folder = copied()
    file = folder / "study.toml"
    text = file.read_text()
    priors = text[text.index("[priors]") : text.index("[grid]")]
    text = text.replace(priors, "").replace('["msle", "importance"]', '["msle"]\nseed = 71')
    file.write_text(text)
    with pytest.warns(UserWarning, match=r"IMPORTANCE in run .* seed 1; .* MSLE, with seed 71"):
        assert "importance" in bm.open_run(folder).results
