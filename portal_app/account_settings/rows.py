"""All that the settings of an account show, and what their form sends."""

from dataclasses import dataclass

from portal_app.accounts.adding import Choice


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What can be changed. `place` is a data centre's id in digits; empty where it can't be chosen."""

    name: str = ""
    email: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """An account's settings. Without `places` its place stays: it is the customer's own, or holds something."""

    form: SettingsForm
    partner_code: str
    place: str
    places: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """How far the deletion of a removed account's data is; `proof` says what is left of it once it is done."""

    name: str
    email: str
    ended: bool
    percent: int
    words: str
    fault: str
    proof: str
