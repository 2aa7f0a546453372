"""What a listing means for each entity: pure rules, from what is known and what an engine saw."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal_app.backups.entities.repository import Known
from portal_app.backups.entities.rows import SeenEntity
from portal_app.backups.entities.shown import is_billed
from portal_app.models import Discovery, Standing

_BY_RULE = {
    Discovery.ADD: Standing.ACTIVE,
    Discovery.ASK: Standing.WAITING,
    Discovery.IGNORE: Standing.IGNORED,
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """The standing of each entity seen, by key; the ids of those that are gone; who waits because of the cap."""

    standings: Mapping[str, str]
    gone: list[int]
    capped: int


def weigh(
    known: Mapping[str, Known], seen: Mapping[str, SeenEntity], rule: str, *, whole: bool, room: int | None
) -> Weighed:
    """How the entities stand after a listing; `whole`: what is not in it is gone from the source.

    The first listing is what the task was made for: the rule is for what appears later. `room` is how many seats the
    task may have in all under the account's cap; beyond it new ones wait, whatever the rule says.
    """
    gone = [one.id for key, one in known.items() if whole and key not in seen and one.standing == Standing.ACTIVE]
    standings = {key: known[key].standing for key in seen if key in known and known[key].standing != Standing.INACTIVE}
    left = None if room is None else room - _seats(known, seen, set(gone))
    by_rule = _BY_RULE[Discovery(rule)] if known else Standing.ACTIVE
    capped = 0
    for key, one in seen.items():
        if key in standings:
            continue
        wanted = Standing.ACTIVE if key in known else by_rule
        if left is not None and is_billed(wanted, licensed(one, known.get(key))):
            left -= 1
            if left < 0:
                wanted, capped = Standing.WAITING, capped + 1
        standings[key] = wanted
    return Weighed(standings, gone, capped)


def licensed(seen: SeenEntity | None, kept: Known | None) -> bool | None:
    """What is known of the licence after a listing."""
    if seen is not None and seen.licensed is not None:
        return seen.licensed
    return kept.licensed if kept else None


def _seats(known: Mapping[str, Known], seen: Mapping[str, SeenEntity], gone: set[int]) -> int:
    """How many of the known entities stay billed."""
    stay = ((seen.get(key), one) for key, one in known.items() if one.id not in gone)
    return sum(is_billed(one.standing, licensed(told, one)) for told, one in stay)
