"""The existing portal's names for regions, sources and states, in both directions."""

from portal_app.backups.rows import Service
from portal_app.models import AccountStatus

# By the codes that a deployment begins with; another is told as it is.
REGIONS = {
    "us-virginia": "US_EST",
    "ca-central": "CA_CENTRAL",
    "de-frankfurt": "EU_FRANKFURT",
    "fr-paris": "EU_PARIS",
    "eu-ireland": "EU_IRELAND",
    "uk-london": "UK_LONDON",
    "au-sydney": "AU_SYDNEY",
    "in-mumbai": "IN_MUMBAI",
    "jp-tokyo": "JP_TOKYO",
    "za-cape-town": "ZA_CAPE_TOWN",
}
SOURCES = {
    Service.EXCHANGE: "OFFICE_365",
    Service.GROUPS: "GROUPS_TEAMS_MULTI",
    Service.SHAREPOINT: "SHAREPOINT_MULTI",
    Service.ONEDRIVE: "ONEDRIVE_MULTI",
    Service.ONENOTE: "ONENOTE_MULTI",
    Service.GOOGLE_MAIL: "GMAIL",
    Service.GOOGLE_DRIVE: "GDRIVE",
    Service.GOOGLE_SHARED_DRIVES: "GDRIVE_SHARED",
    Service.SALESFORCE: "SALESFORCE",
    Service.BOX: "BOX",
    Service.DROPBOX: "DROPBOX",
    Service.IMAP: "IMAP",
    Service.S3: "S3",
    Service.GENERIC: "GENERIC",
}
ACTIVE, TRIAL, TRIAL_EXPIRED, PAUSED, ARCHIVED, FAILED, PARTIAL = (
    "ACTIVE",
    "TRIAL",
    "TRIAL_EXPIRED",
    "PAUSED",
    "ARCHIVED",
    "FAILED",
    "PARTIAL",
)
STATUSES = {
    AccountStatus.TRIAL_STARTED: TRIAL,
    AccountStatus.TRIAL_EXPIRING: TRIAL,
    AccountStatus.TRIAL_EXPIRED: TRIAL_EXPIRED,
    AccountStatus.MONTHLY: ACTIVE,
    AccountStatus.ANNUAL: ACTIVE,
}
# The sub-source of a state that tells of a task as a whole.
WHOLE_TASK = "TASK"


def region_of(center: str | None) -> str | None:
    """The region of a data center's code."""
    return REGIONS.get(center, center.upper().replace("-", "_")) if center else None
