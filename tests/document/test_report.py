"""The report: whole, escaped, asks for nothing from elsewhere, fits a phone."""

import base64
import json
import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.document.formula import formulas
from bayesmix.document.html import number, table
from bayesmix.document.report import Report
from bayesmix.likelihood.bind import bind
from tests.markets_with_panels import data_of, frames

NASTY = 'bus <b>&"'
FEW = {"draws": 20, "nodes": 8, "rng": 1}
MODEL = bm.MixedLogit("price + time", random=[bm.Normal("time")])


@cache
def made() -> tuple[bm.ChoiceData, bm.Fit, xr.DataTree]:
    """Simulated choices of 40 people among three alternatives, one with a name full of HTML."""
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([range(40), range(4), [NASTY, "car", "walk"]])
    frame = index.to_frame(index=False, name=["who", "task", "alt"])
    frame["price"], frame["time"] = rng.uniform(1, 3, len(frame)), rng.normal(size=len(frame))
    taste = rng.normal(-0.8, 0.5, 40)[frame["who"]]
    utility = taste * frame["time"] - 0.9 * frame["price"] + rng.gumbel(size=len(frame))
    best = utility.groupby([frame["who"], frame["task"]]).transform("max")
    frame["chosen"] = utility == best
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "chosen"}
    data = bm.ChoiceData.from_long(frame, **roles)
    fit = bm.msle(MODEL, data, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)
    how: dict[str, Any] = {"method": "importance", "draws": 100, "progress": False}
    return data, fit, bm.sample(MODEL, data, grid=fit.grid, rng=1, **how)


@cache
def page() -> str:
    data, fit, posterior = made()
    several = {"MSLE": fit, "draws <i>": posterior}
    return bm.report(several, data, title="Trips & <tastes>", reproduce="<script>", **FEW).html


class Reader(HTMLParser):
    """Tags that are open at the end, every attribute, and the words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_it_has_every_section_and_ends_what_it_begins() -> None:
    read = Reader(page())
    assert read.open == []
    anchors = [value for tag, name, value in read.attributes if (tag, name) == ("section", "id")]
    assert anchors == [
        "data", "model", "estimates", "accuracy", "diagnostics", "differences", "checks",
        "elasticities", "diversion", "wtp", "reproduce",
    ]  # fmt: skip
    links = [value for tag, name, value in read.attributes if (tag, name) == ("a", "href")]
    assert [link[1:] for link in links if link.startswith("#")] == anchors
    assert "Not computed" not in read.words.replace("Not computed: the fit", "")
    pictures = [value for tag, name, value in read.attributes if (tag, name) == ("img", "alt")]
    assert (
        len(pictures) == 1 + 1 + 2 + 2 + 2
    )  # forest, differences, checks, elasticities, diversion


def test_labels_are_words_and_not_html() -> None:
    words = Reader(page()).words
    for label in (NASTY, "draws <i>", "Trips & <tastes>", "<script>"):
        assert label in words
    assert "<script" not in page()
    assert "bus <b>" not in page()


def test_nothing_is_asked_from_elsewhere() -> None:
    read = Reader(page())
    sources = [v for _, name, v in read.attributes if name in ("src", "href", "srcset", "action")]
    assert all(value.startswith(("#", "data:")) for value in sources)
    assert not re.findall(r"https?:|url\(|@import|//cdn", page())
    assert "default-src 'none'" in page()


def test_numbers_are_those_of_the_results() -> None:
    data, fit, posterior = made()
    found = bm.compare({"MSLE": fit, "b": posterior})
    for value in found.to_numpy().ravel():
        assert number(float(value)) in page()
    own = bm.demand_table(bm.diversion(fit, data, **FEW)).loc["car", "walk"]
    assert own in page()
    assert f"{fit.loglik:.3f}" in page()


def test_the_fit_inside_is_the_fit(tmp_path: Path) -> None:
    data, fit, _ = made()
    code = re.search(r'download="MSLE.json" href="data:application/json;base64,([^"]+)"', page())
    assert code
    path = tmp_path / "fit.json"
    path.write_bytes(base64.b64decode(code[1]))
    assert bm.Fit.load(path, data).loglik == pytest.approx(fit.loglik, abs=1e-9)
    assert json.loads(path.read_text())["format"] == 4


def test_what_cannot_be_computed_says_why() -> None:
    data, _, _ = made()
    plain = data.frame.rename(columns={"price": "fare"})
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "chosen"}
    other = bm.ChoiceData.from_long(plain, **roles)
    fit = bm.msle(bm.MixedLogit("fare + time"), other)
    assert "No column is known to be the price" in bm.report(fit, other, **FEW).html
    with pytest.raises(bm.SpecificationError, match="must be a column of the utility, got 'cost'"):
        bm.report(fit, other, price="cost", **FEW)


def test_it_is_written_whole_and_a_folder_that_is_missing_is_said_before_the_work(
    tmp_path: Path,
) -> None:
    data, fit, _ = made()
    with pytest.raises(OSError, match="No such folder"):
        bm.report(fit, data, path=tmp_path / "no" / "report.html", **FEW)
    Report("t", "words").save(tmp_path / "report.html")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["words"]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (bm.MixedLogit("price + time"), "δprice priceitj + δtime timeitj"),
        (
            bm.MixedLogit("price + time", bm.LogNormal("price", sign=-1)),
            "\N{MINUS SIGN}exp(bi,price)",
        ),
        (
            bm.MixedLogit("price + time", wtp="price"),
            "δprice (priceitj \N{MINUS SIGN} δtime timeitj)",
        ),
        (bm.MixedLogit("price + time", bm.LatentClass("price", classes=2)), "P(class c) = sharec"),
        (bm.MixedLogit("price + time", bm.Normal("price", mean="0")), "N(0, sd[price]²)"),
        (bm.MixedLogit("price + time", bm.LKJNormal("price", "time")), "βi,price, βi,time"),
        (bm.MixedLogit("price + time", bm.Triangular("price")), "triangular law of price"),
        (
            bm.MixedLogit("price + time", nests=bm.Nests({"road": ["walk", "car"]})),
            "(akm exp Vitk)1/nest[m])nest[m]",
        ),
    ],
)
def test_formulas(model: bm.MixedLogit, words: str) -> None:
    data, _, _ = made()
    assert words in Reader(formulas(bind(model, data))).words


def test_of_types_there_are_marginals_and_no_points() -> None:
    data, _, _ = made()
    types = bm.Types({"price": (-2, 0), "time": (-2, 1)}, points=30, rng=1)
    model = bm.MixedLogit("price + time")
    found = bm.logit_mixed(model, data, bm.LogitWeights(types))
    words = Reader(bm.report(found, data, title="Types", **FEW).html).words
    for name, value in found.moments()["estimate"].items():
        assert str(name) in words
        assert number(float(value)) in words
    assert "share[2]" not in words
    assert "fixed[price, 1]" not in words


def test_two_levels_of_columns_are_two_lines_of_heading() -> None:
    frame = pd.DataFrame([[1.0, 2.0, 3.0]], ["r"], [["a", "a", "b"], ["x", "y", "x"]])
    assert table(frame).count('<th colspan="2">a</th>') == 1
    assert table(frame).count("<th>x</th>") == 2


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(chromium() is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_stands_out_of_the_window(tmp_path: Path, width: int) -> None:
    """Wide tables scroll by themselves; the page does not."""
    script = (
        "<script>addEventListener('load', () => parent.postMessage("
        "(d => d.scrollWidth - d.clientWidth)(document.documentElement), '*'))</script></body>"
    )
    open_page = re.sub(r"<meta http-equiv[^>]*>", "", page()).replace("</body>", script)
    (tmp_path / "page.html").write_text(open_page, encoding="utf-8")
    frame = (
        f'<iframe src="page.html" width="{width}" height="800" style="border:0"></iframe><script>'
        "addEventListener('message', e => document.body.append(`beyond ${e.data} px`))</script>"
    )
    (tmp_path / "frame.html").write_text(frame, encoding="utf-8")
    command = [str(chromium()), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=20000"]
    shown = subprocess.run(
        [*command, (tmp_path / "frame.html").as_uri()], capture_output=True, text=True, timeout=120
    )
    assert "beyond 0 px" in shown.stdout


def test_a_fit_and_a_posterior_with_shares_of_markets_are_on_one_page() -> None:
    """The fit's data have its constants, and the posterior's are those without."""
    rows, shares = frames(1, markets=5, people=8, tasks=2)
    rows["noise"] = np.random.default_rng(2).normal(size=len(rows))
    model, data = bm.MixedLogit("price + noise", random=bm.Normal("price")), data_of(rows)
    rule: dict[str, Any] = {"grid": bm.sobol(16), "rng": 1, "progress": False}
    held: dict[str, Any] = {"market_shares": shares, "fixed": {"mean[price]": 0.0}}
    fit = bm.msle(model, data, starts=1, **rule, **held)
    posterior = bm.sample(model, data, method="importance", draws=50, chains=2, **rule, **held)
    for own in (data, fit.data):
        if own is data:
            made = bm.report({"MSLE": fit, "draws": posterior}, own, **FEW).html
        else:
            made = bm.report(fit, own, **FEW).html
        assert "mean[price] held at 0: constants of markets have in them" in made
        assert "By removal" in made
