"""Counts, and how they print."""

from bayesmix.data.choices import ChoiceData


def test_counts_of_the_small_panel(panel, roles):
    panel["here"] = [1, 1, 1, 1, 1, 1, 1, 0, 1]
    summary = ChoiceData.from_long(panel, **roles, availability="here").summary()
    assert summary.counts.to_dict() == {
        "persons": 2,
        "situations": 5,
        "rows": 8,
        "alternatives": 2,
        "situations a person, min": 2,
        "situations a person, median": 2.5,
        "situations a person, max": 3,
        "situations with a single alternative": 2,
        "rows left out as unavailable": 1,
    }
    assert summary.alternatives.to_dict("index") == {
        "bus": {"available": 5, "chosen": 3, "share": 0.6},
        "car": {"available": 3, "chosen": 2, "share": 0.4},
    }


def test_outside_option_adds_to_every_set(panel, roles):
    summary = ChoiceData.from_long(panel, **roles, outside_option=True).summary()
    assert summary.counts["situations with a single alternative"] == 0
    assert summary.alternatives.loc["outside", "available"] == 5


def test_text_and_html_show_the_table(panel, roles):
    data = ChoiceData.from_long(panel, **roles)
    text, html = repr(data), data._repr_html_()
    assert text.startswith("ChoiceData\npersons")
    assert "bus           5       3 0.6000" in text
    assert "rows left out" not in text
    assert "<td>0.6000</td>" in html
