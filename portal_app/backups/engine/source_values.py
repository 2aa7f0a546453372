"""What a task reads from: parsed, sealed beside the task, and really looked into."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal_app import crypto
from portal_app.backups.engine.source_fields import FIELDS, LABELS, SourceField
from portal_app.errors import Invalid
from portal_app.models import BackupTask, SourceKind


@dataclass(frozen=True, slots=True)
class Source:
    """A checked source; `values` by the names of its FIELDS, secrets among them.

    `owner` is the code of the partner whose it is: folders of this machine are read for their own partner only.
    """

    kind: SourceKind
    values: Mapping[str, str] = field(repr=False)
    owner: str = ""

    @property
    def place(self) -> str:
        """Where it is, for people to recognise; no secret is in it."""
        fields = {
            SourceKind.S3: ("endpoint", "bucket"),
            SourceKind.SFTP: ("user", "host"),
            SourceKind.BOX: ("user_id",),
        }
        names = fields.get(self.kind, ("path", "url", "drive_id", "person", "shared_drive", "app_key"))
        known = [self.values[name] for name in (*names, "folder") if self.values.get(name)]
        joined = (
            " / ".join(known)
            if self.kind != SourceKind.SFTP
            else "@".join(known[:2]) + "".join(f" / {part}" for part in known[2:])
        )
        return (joined or LABELS[self.kind])[:300]

    @property
    def shown(self) -> dict[str, str]:
        """The values that a form may show again."""
        return {one.name: self.values.get(one.name, "") for one in FIELDS[self.kind] if not one.secret}

    @property
    def secrets(self) -> list[str]:
        """What must be in no log."""
        return [self.values[one.name] for one in FIELDS[self.kind] if one.secret and self.values.get(one.name)]


def parse(kind: str, values: Mapping[str, object], before: Source | None = None, *, owner: str = "") -> Source:
    """A source from a form's `values`. Raises Invalid with a sentence for each faulty field.

    An empty secret is that of `before`, as long as nothing changed that says where it would be sent.
    """
    if kind not in {known.value for known in SourceKind}:
        raise Invalid(source_kind="Choose what is backed up.")
    found, faults = {}, {}
    fields = FIELDS[SourceKind(kind)]
    kept = _kept(kind, fields, values, before)
    for one in fields:
        try:
            found[one.name] = one.read(values.get(one.name) or kept.get(one.name, ""))
        except ValueError as fault:
            faults[one.name] = str(fault)
    if kind == SourceKind.SFTP and not faults and not (found["password"] or found["key"]):
        faults["password"] = "Enter the password, or a private key."
    if faults:
        raise Invalid(**faults)
    return Source(SourceKind(kind), found, owner)


def _kept(
    kind: str, fields: tuple[SourceField, ...], values: Mapping[str, object], before: Source | None
) -> dict[str, str]:
    """The secrets of before. Somewhere else they would be told to a stranger."""
    if before is None or before.kind != kind:
        return {}
    for one in fields:
        if one.place and str(values.get(one.name) or "").strip().rstrip("/") != before.values.get(one.name, ""):
            return {}
    return {one.name: before.values.get(one.name, "") for one in fields if one.secret}


def seal(source: Source, *, partner_id: int, task_id: int) -> bytes:
    """What `backup_task.source_sealed` holds."""
    told = json.dumps({"kind": source.kind, "values": dict(source.values)})
    return crypto.seal(told.encode(), binding=_binding(partner_id, task_id))


def unseal(task: BackupTask, partner_id: int, *, owner: str = "") -> Source:
    """The source of a built-in task. Raises Unreadable, or Invalid when it has none."""
    if task.source_sealed is None:
        raise Invalid("This task has no source yet.")
    told = json.loads(crypto.unseal(task.source_sealed, binding=_binding(partner_id, task.id or 0)))
    return Source(SourceKind(told["kind"]), told["values"], owner)


def _binding(partner_id: int, task_id: int) -> str:
    return crypto.binding(partner_id, "backup_task", task_id, "source_sealed")
