"""A browser's name out of what it says of itself: for people to recognise, never to decide anything by."""

from functools import lru_cache

# The order matters: most browsers also name the ones they descend from.
_NAMES = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


# Asked for every event.
@lru_cache(1_024)
def browser_name(user_agent: str) -> str:
    """Such as "Firefox on Linux"; the beginning of the text itself when it names no known browser."""
    browser = next((name for mark, name in _NAMES if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if not browser:
        return "".join(char for char in user_agent if char.isprintable())[:60]
    return f"{browser} on {system}" if system else browser
