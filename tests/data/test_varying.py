"""Where a column differs that must not, in words."""

import numpy as np

from bayesmix.data.varying import varies_within_persons, varies_within_situations
from tests.simulated import attributes, choice_data


def test_places_are_counted_and_the_first_are_named():
    frame = attributes(np.random.default_rng(1), 6, 2)  # persons of 6 rows, situations of 3
    data = choice_data(frame)
    other = np.isin(np.arange(data.n_rows), [4, 5, 7, 20, 26, 33])
    assert varies_within_persons(data, other) == (
        "varies within 5 of 6 persons (person 0 in row 4; person 1 in row 7; person 3 in row 20; "
        "and 2 more)"
    )
    assert varies_within_situations(data, other & (np.arange(data.n_rows) < 8)) == (
        "varies within 2 of 12 situations (situation 1 of person 0 in row 4; situation 2 of person "
        "1 in row 7)"
    )


def test_a_cross_section_has_no_persons():
    data = choice_data(attributes(np.random.default_rng(1), 6, 1), person=None)
    other = np.arange(data.n_rows) == 4
    words = "varies within 1 of 6 situations (situation 1 in row 4)"
    assert varies_within_persons(data, other) == words
    assert varies_within_situations(data, other) == words
