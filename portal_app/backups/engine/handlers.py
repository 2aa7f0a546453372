"""What the worker does for backups: its kinds of jobs, and the plan that makes some of them."""

from collections.abc import Mapping

from portal_app.backups.engine import backing_up, forgetting, recovering
from portal_app.backups.engine.recovery import EXPORT, RESTORE
from portal_app.backups.engine.removal import FORGET
from portal_app.backups.engine.runs import BACKUP
from portal_app.jobs.worker import Handler

HANDLERS: Mapping[str, Handler] = {
    BACKUP: backing_up.backup,
    RESTORE: recovering.restore,
    EXPORT: recovering.export,
    FORGET: forgetting.forget,
}
