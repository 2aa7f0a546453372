"""Addresses in mails: made of a setting, never of what a request says of itself."""

from portal_app.settings import settings


def absolute(path: str) -> str:
    """The address of a page of this portal, such as `/reset?token=…`, for whoever reads it elsewhere."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("a path of the portal begins with one slash")
    return (settings().public_url or f"http://localhost:{settings().port}") + path
