"""The only cards that the sandbox takes, each with its behaviour. What is typed here is nobody's real number."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Behaviour(StrEnum):
    PAYS = "pays"
    DECLINED = "declined"
    NO_FUNDS = "no_funds"
    # Can be stored and used by its owner, but is refused when nobody is there.
    NEEDS_OWNER = "needs_owner"
    # The money is taken, and the answer is lost on the way.
    ANSWER_LOST = "answer_lost"


@dataclass(frozen=True, slots=True)
class SandboxCard:
    number: str
    brand: str
    behaviour: Behaviour
    about: str

    @property
    def spaced(self) -> str:
        return " ".join(re.findall(".{1,4}", self.number))


CARDS = (
    SandboxCard("4242424242424242", "Visa", Behaviour.PAYS, "pays"),
    SandboxCard("5555555555554444", "Mastercard", Behaviour.PAYS, "pays"),
    SandboxCard("4000000000000002", "Visa", Behaviour.DECLINED, "is declined"),
    SandboxCard("4000000000009995", "Visa", Behaviour.NO_FUNDS, "is declined: too little money"),
    SandboxCard("4000000000000341", "Visa", Behaviour.NEEDS_OWNER, "can be stored; later charges are declined"),
    SandboxCard("4000000000000259", "Visa", Behaviour.ANSWER_LOST, "pays; the answer to a later charge is lost"),
)
REASONS = {
    Behaviour.DECLINED: "The card was declined.",
    Behaviour.NO_FUNDS: "There is too little money on the card.",
    Behaviour.NEEDS_OWNER: "The card was declined: the bank wants to ask its owner.",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed on a hosted page, understood."""

    card: SandboxCard
    month: int
    year: int


def understand(number: str, expiry: str, code: str, today: date) -> tuple[Typed | None, dict[str, str]]:
    """The card, or for each field that can't be taken the sentence beside it."""
    digits = re.sub(r"[\s-]", "", number)
    card = next((one for one in CARDS if one.number == digits), None)
    until = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/\s*(?:20)?([0-9]{2})\s*", expiry)
    month, year = (int(until[1]), 2000 + int(until[2])) if until else (0, 0)
    faults = {
        "number": "" if card else "Use one of the test cards below: the sandbox takes no other.",
        "expiry": "" if until else "Enter month and year, such as 12/30.",
        "code": "" if re.fullmatch("[0-9]{3,4}", code.strip()) else "Enter the 3 digits; any will do.",
    }
    if until and (year, month) < (today.year, today.month):
        faults["expiry"] = "This card has expired."
    faults = {name: fault for name, fault in faults.items() if fault}
    return (Typed(card, month, year) if card and not faults else None), faults
