"""Every kind of job and what does it. A new kind needs its line here, or no worker takes it."""

from collections.abc import Mapping

from portal_app.backups.engine.handlers import HANDLERS
from portal_app.jobs.worker import Handler
from portal_app.portal_import import service as portal_import
from portal_app.portal_import import work
from portal_app.reports import usage

# These take long: as many at once as PORTAL_BACKUPS_AT_ONCE says.
BACKUPS: Mapping[str, Handler] = HANDLERS
# These don't wait for those.
OTHERS: Mapping[str, Handler] = {usage.KIND: usage.run, portal_import.KIND: work.handle}
