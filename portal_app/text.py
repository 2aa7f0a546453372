"""Text as people type it: cleaned, compared and refused in one way everywhere."""

import contextlib
import re
import unicodedata

NAME_LENGTH = 120
EMAIL_LENGTH = 254
_PHONE_DIGITS = 5

_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s\"(),:;<>\[\\\]]+\.[^@\s\"(),:;<>\[\\\].]{2,}")
# Overrides and isolates of direction can make one name look like another; no right-to-left name needs them.
# Of has_control, what no key or name of a program's may hold, found in thousands of them at once.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def has_control(text: str) -> bool:
    """Whether the text holds control, surrogate or reordering characters that no name needs."""
    return bool(_REORDERING.search(text)) or any(unicodedata.category(char) in {"Cc", "Cs", "Cn"} for char in text)


def clean(text: object) -> str:
    """The text in its composed form, without spaces around it or doubled inside. Not text: empty."""
    if not isinstance(text, str):
        return ""
    # Only spaces: a tab or a line break is a fault that the user must hear of, not something to swallow.
    return " ".join(word for word in unicodedata.normalize("NFC", text).split(" ") if word)


def fold(text: str) -> str:
    """The form in which names are sorted and searched: compatibility-composed, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def searchable(text: str) -> str:
    """Words to search for: folded, without the characters that no name can hold."""
    return "".join(char for char in fold(text) if unicodedata.category(char) not in {"Cc", "Cs"}).strip()


def holding(words: str) -> str:
    """The pattern of LIKE, with / as its escape, for texts that hold the words."""
    return "%" + re.sub("[/%_]", r"/\g<0>", words) + "%"


def normal_email(text: str) -> str:
    """The form in which addresses are compared: trimmed, without case, the domain in its ASCII form."""
    folded = fold(clean(text))
    return f"{folded.rpartition('@')[0]}@{ascii_domain(folded)}"


def ascii_domain(email: str) -> str:
    """The domain of an address in its ASCII form, which mail servers look up; as it is when it has none."""
    domain = email.rpartition("@")[2]
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return domain


def name_fault(name: str, what: str) -> str:
    """The sentence to show beside a name that can't be taken; empty when it can."""
    if not name:
        return f"Enter {what}."
    if len(name) > NAME_LENGTH:
        return f"Use at most {NAME_LENGTH} characters; this has {len(name):,}."
    if has_control(name):
        return "Remove the invisible control characters."
    return ""


def email_fault(email: str) -> str:
    """The sentence to show beside an address that can't be taken; empty when it can."""
    if not email:
        return "Enter an email address."
    if len(email) > EMAIL_LENGTH:
        return f"An email address has at most {EMAIL_LENGTH} characters; this has {len(email):,}."
    if has_control(email) or not _EMAIL.fullmatch(email):
        return "Enter an address such as name@company.com."
    return ""


def phone_fault(phone: str) -> str:
    """The sentence to show beside a phone number that can't be taken; empty when it can, and for none.

    People write numbers in many ways, with words for an extension: only what nobody could call is refused.
    """
    digits = sum(char.isdecimal() for char in phone)
    return "Enter a phone number, such as +49 30 901820." if phone and digits < _PHONE_DIGITS else ""
