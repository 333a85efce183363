"""The look at the site in Chromium sees what is broken, and finds nothing of that in the site."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "docs" / "look.py"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PLAYWRIGHT = importlib.util.find_spec("playwright")

pytestmark = pytest.mark.skipif(
    BROWSER is None or PLAYWRIGHT is None, reason="needs Chromium and playwright"
)


def look() -> Any:
    spec = importlib.util.spec_from_file_location("look", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<h1>Whole</h1>", "2 pages, 0 wrong"),
        ('<h1>Asks</h1><img src="http://127.0.0.1:9/x.png">', "127.0.0.1:9/x.png"),
        ('<h1>Wide</h1><div style="width:3000px">.</div>', "pixels wider than a phone-dark"),
        ("no heading", "other.html: no heading"),
        ("<h1>Fails</h1><script>nothing.there()</script>", "nothing is not defined"),
    ],
)
def test_it_sees_what_is_broken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: str,
    said: str,
) -> None:
    first = '<title>first</title><h1>First</h1><a href="other.html">other</a>'
    (tmp_path / "index.html").write_text(first)
    (tmp_path / "other.html").write_text(f"<title>other</title>{body}")
    script = look()
    monkeypatch.setattr(script, "SITE", tmp_path)
    monkeypatch.setattr("sys.argv", ["look.py"])
    assert script.main() == int("0 wrong" not in said)
    assert said in capsys.readouterr().out


def test_nothing_is_broken_in_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    script = look()
    if not script.SITE.is_dir():
        pytest.skip("needs the site: make docs")
    monkeypatch.setattr("sys.argv", ["look.py"])
    assert script.main() == 0
