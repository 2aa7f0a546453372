"""Amounts of data in words."""

_UNITS = ("Bytes", "KB", "MB", "GB", "TB", "PB", "EB")


def size_text(count: int) -> str:
    """Such as "0 Bytes", "55.18 MB" or "1.57 GB" (powers of 1,000, as storage is sold)."""
    unit, value = 0, count
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value} Bytes" if unit == 0 else f"{value:,.2f} {_UNITS[unit]}"
