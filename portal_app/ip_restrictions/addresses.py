"""IP addresses as people type them, and as keys that the database compares."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from portal_app.errors import Invalid

MOST_AT_ONCE = 100
# In characters; a hundred of the longest ranges fit.
LONGEST = 10_000
Address = IPv4Address | IPv6Address
_EXAMPLE = "an address such as 192.0.2.5, 198.51.100.0/24 or 2001:db8::5"


@dataclass(frozen=True, slots=True)
class Span:
    """All addresses from `first` to `last`, both of one version; `text` is how an entry shows it."""

    first: Address
    last: Address
    text: str

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """The two ends as the database compares them."""
        return _key(self.first), _key(self.last)


def key_of(address: str) -> bytes | None:
    """The key of the address that somebody comes from; None for what is none (a socket's file, a forged header)."""
    try:
        return _key(_plain(ip_address(address.partition("%")[0])))
    except ValueError:
        return None


def is_within(address: str, network: str) -> bool:
    """Whether the address that somebody comes from is of the network, such as 10.0.0.0/24, or is that address."""
    try:
        found, of = _plain(ip_address(address.partition("%")[0])), ip_network(network)
    except ValueError:
        return False
    return found.version == of.version and found in of


def parse(addresses: str, first: str, last: str) -> list[Span]:
    """What the form's fields hold: addresses and networks separated by commas, and a range. Invalid by field."""
    parts = [part.strip() for part in addresses[: LONGEST + 1].split(",") if part.strip()]
    first, last = first.strip(), last.strip()
    faults = {
        "addresses": _list_fault(addresses, parts),
        "first": _fault(first) if first or last else "",
        "last": _fault(last) if first or last else "",
    }
    if not any(faults.values()):
        faults["addresses"] = "" if parts or first else "Enter at least one address, or a range below."
        faults["last"] = _range_fault(first, last) if first else ""
    if any(faults.values()):
        raise Invalid(**{field: fault for field, fault in faults.items() if fault})
    spans = [_span(part) for part in parts] + ([_range(first, last)] if first else [])
    if everybody := next((span for span in spans if _is_everybody(span)), None):
        raise Invalid(addresses=f"“{everybody.text}” would trust everybody. Name the addresses that are yours.")
    return list(dict.fromkeys(spans))


def shown(address: str) -> str:
    """The address that somebody comes from, as it would stand in the list."""
    try:
        return str(_plain(ip_address(address.partition("%")[0])))
    except ValueError:
        return address or "unknown"


def joined(spans: Iterable[Span]) -> str:
    """How an entry of these shows them."""
    return ", ".join(span.text for span in spans)


def split(entry: str) -> tuple[str, str, str]:
    """The form's three fields for an entry as it is shown."""
    others, _, final = entry.rpartition(", ")
    first, dash, last = final.partition(" - ")
    return (others, first, last) if dash else (entry, "", "")


def _is_everybody(span: Span) -> bool:
    return int(span.last) - int(span.first) == (1 << span.first.max_prefixlen) - 1


def _plain(address: Address) -> Address:
    """An IPv4 address that came in the clothes of IPv6 is the same address."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _key(address: Address) -> bytes:
    # The version comes first: no range of one version reaches into the other.
    return bytes([address.version]) + address.packed


def _network(text: str) -> IPv4Network | IPv6Network:
    """Also of one address. Raises ValueError."""
    if "%" in text:
        raise ValueError(text)
    found = ip_network(text, strict=False)
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    return IPv4Network((mapped, found.prefixlen - 96)) if mapped and found.prefixlen >= 96 else found


def _span(part: str) -> Span:
    if "-" in part:
        return _range(*(end.strip() for end in part.split("-")))
    found = _network(part)
    text = str(found.network_address) if found.num_addresses == 1 else str(found)
    return Span(found.network_address, found.broadcast_address, text)


def _range(first: str, last: str) -> Span:
    ends = _plain(ip_address(first)), _plain(ip_address(last))
    return Span(*ends, text=f"{ends[0]} - {ends[1]}")


def _list_fault(addresses: str, parts: list[str]) -> str:
    if len(parts) > MOST_AT_ONCE or len(addresses) > LONGEST:
        return f"Enter at most {MOST_AT_ONCE} addresses here, and the others in another entry."
    return next(filter(None, map(_part_fault, parts)), "")


def _part_fault(part: str) -> str:
    first, dash, last = (end.strip() for end in part.partition("-"))
    if dash:
        return _fault(first) or _fault(last) or _range_fault(first, last)
    try:
        _network(part)
    except ValueError:
        return f"“{part[:60]}” is not {_EXAMPLE}."
    return ""


def _fault(end: str) -> str:
    try:
        known = "%" not in end and bool(ip_address(end))
    except ValueError:
        known = False
    return "" if known else "Enter an address such as 192.0.2.5 or 2001:db8::5."


def _range_fault(first: str, last: str) -> str:
    low, high = _plain(ip_address(first)), _plain(ip_address(last))
    if low.version != high.version:
        return "Both ends of a range must be IPv4, or both IPv6."
    return "" if _key(low) <= _key(high) else "The range must end at or after the address it begins with."
