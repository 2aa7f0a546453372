"""Pages of a list."""

PAGE_SIZES = (25, 50, 100)


def page_size(text: str) -> int:
    """The page size that was asked for, if it is one of those offered."""
    return int(text) if text.isdecimal() and int(text) in PAGE_SIZES else PAGE_SIZES[0]


def page_number(text: str) -> int:
    """The page that was asked for, from 1; nonsense gives the first."""
    return max(1, int(text)) if text.isdecimal() and len(text) <= 9 else 1


def pages_of(rows: int, size: int) -> int:
    """How many pages the rows fill; at least one."""
    return max(1, -(-rows // size))
