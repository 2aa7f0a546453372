"""Pages of lists, as an address asks for them."""

import pytest

from portal_app.paging import page_number, page_size


@pytest.mark.parametrize("text", ["", "-1", "26", "٢٥", "9" * 5_000])
def test_nonsense_asks_for_the_first_page_of_the_usual_size(text: str) -> None:
    """Not even a number of more digits than Python reads is a fault."""
    assert page_size(text) == 25
    assert page_number("9" * 5_000) == page_number("-1") == 1
