"""All that the page of Notifications may see, and what its forms send."""

from dataclasses import dataclass

from portal_app.models import DetailForm, Frequency, RadarForm

# What a recipient may get: the column of each, and its name for people, in the order of the page.
KINDS = {
    "summary": "Summary report",
    "recovery": "Recovery notification",
    "exceptions": "Exceptions notification",
    "discovery": "Auto discovery notification",
    "trials": "Trial accounts report",
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address, and the keys of what it gets."""

    id: int
    email: str
    name: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecipientForm:
    """A recipient as typed."""

    email: str = ""
    name: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GeneralForm:
    """The choices for all recipients. `content` is "full" or "exceptions"; radar's are the address and the form."""

    frequency: str = Frequency.DAILY
    content: str = "full"
    detail: str = DetailForm.ATTACHMENT
    radar_address: str = ""
    radar_form: str = RadarForm.CSV


@dataclass(frozen=True, slots=True)
class Overview:
    """All of the page."""

    recipients: list[Recipient]
    general: GeneralForm
    radar_enabled: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a mail goes to, and the display name by which it calls them ("" for none)."""

    id: int
    email: str
    name: str
