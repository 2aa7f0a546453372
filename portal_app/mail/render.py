"""Letters as messages: the same words as plain text and as HTML, in the colours of the brand."""

import base64
import hashlib
import textwrap
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from portal_app.brand import brand, picture
from portal_app.mail.letter import Letter
from portal_app.mail.service import sender
from portal_app.models import OutboxMail
from portal_app.text import ascii_domain

_WIDTH = 76
_LOGO_HEIGHT = 32
_LOGO_ID = "logo@brand"


def text_of(letter: Letter) -> str:
    """The letter for programs and people that want no HTML."""
    parts = [*map(_wrapped, letter.paragraphs), *(_item(*item) for item in letter.items)]
    if letter.action:
        # The address on a line of its own, never broken: programs make a link of it.
        parts.append("{}:\n{}".format(*letter.action))
    parts += map(_wrapped, letter.small)
    return "\n\n".join([*parts, f"-- \n{brand().name}\n{brand().support_email}\n"])


def html_of(letter: Letter, *, preview: bool = False) -> str:
    """The letter as a whole page of HTML that needs nothing from elsewhere.

    `preview` is for a frame of the portal, whose policy takes no style sheet, and where links open in a new tab.
    """
    logo = ""
    if brand().has_own_logo:
        logo = f"data:image/png;base64,{base64.b64encode(_logo()).decode()}" if preview else f"cid:{_LOGO_ID}"
    size = _logo_width(), _LOGO_HEIGHT
    return _template().render(letter=letter, preview=preview, brand=brand(), logo=logo, logo_size=size)


def message_of(letter: Letter, mail: OutboxMail, files: Sequence[tuple[str, bytes]] = ()) -> tuple[bytes, str, bool]:
    """The message, where it goes, and whether that needs SMTPUTF8; rendered again it is the same, to the byte.

    `files` are attached: name and content. ValueError when the address can't be put into a header.
    """
    from_ = Address(brand().mail_name, *_parts(sender()))
    to = Address("", *_parts(mail.recipient))
    utf8 = not (from_.username + to.username).isascii()
    message = EmailMessage(policy=SMTPUTF8 if utf8 else SMTP)
    message["From"] = from_
    message["To"] = to
    message["Subject"] = mail.subject
    message["Date"] = mail.queued_at
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text_of(letter), cte="quoted-printable")
    message.add_alternative(html_of(letter), subtype="html", cte="quoted-printable")
    if brand().has_own_logo:
        page = message.get_payload()[-1]  # type: ignore[index]
        page.add_related(_logo(), "image", "png", cid=f"<{_LOGO_ID}>", disposition="inline")  # type: ignore[union-attr]
    for name, content in files:
        main, _, sub = (guess_type(name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    # Neither quoted-printable nor base64 holds "=_"; made of the id, the boundaries are the same at each attempt.
    mark = hashlib.sha256(mail.message_id.encode()).hexdigest()[:32]
    for depth, part in enumerate(one for one in message.walk() if one.is_multipart()):
        part.set_boundary(f"=_{depth or ''}{mark}")
    return message.as_bytes(), to.addr_spec, utf8


def _parts(email: str) -> tuple[str, str]:
    return email.rpartition("@")[0], ascii_domain(email)


def _wrapped(text: str) -> str:
    lines = (textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False) for line in text.split("\n"))
    return "\n".join(lines)


def _item(name: str, address: str, remark: str) -> str:
    return "\n  ".join([f"* {name}", *filter(None, (remark, address))])


@cache
def _template() -> Template:
    folder = Path(__file__).parent / "templates"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined).get_template(
        "letter.html"
    )


def _logo() -> bytes:
    """As PNG: few mail programs show an SVG."""
    return picture(brand().logo.svg, _logo_width(), _LOGO_HEIGHT)


def _logo_width() -> int:
    logo = brand().logo
    return round(_LOGO_HEIGHT * min(logo.width / logo.height, 7))
