"""Who is in the demo: partners, people who sign in, and the names of the customers. All invented."""

from dataclasses import dataclass, field

from portal_app.auth.permissions import Permission
from portal_app.deployment import DEMO_OPERATOR
from portal_app.models import Role, SubscriptionType, UserKind

# Published on the sign-in page of every demo: it protects nothing.
PASSWORD = "demo-portal-2026"
MAIN = "DDEVR001"
OTHER = "RESEL001"
BENCH = "BENCH001"


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """A partner of the demo; `data_center` is the code of its default place, `hour` (UTC) when its backups run.

    `billing`: its billing profile; whoever has no method yet is asked at the first visit.
    """

    code: str
    name: str
    currency: str
    time_zone: str
    subscription: SubscriptionType
    data_center: str
    hour: int
    billing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person who signs in with PASSWORD. `about` is for the sign-in page."""

    email: str
    name: str
    about: str
    kind: UserKind = UserKind.PARTNER
    partner: str = ""
    role: Role = Role.CUSTOM
    permissions: tuple[Permission, ...] = ()
    all_accounts: bool = True


BILLING = {
    "method": "invoice",
    "first_name": "Amélie",
    "last_name": "Devereux",
    "company": "Devereux IT Services",
    "tax_id": "FR83404833048",
    "address": "12 rue des Exemples",
    "zip": "75010",
    "city": "Paris",
    "country": "FR",
    "email": "billing@demo.example",
}
# The hours lie so that a backup's date is the same in UTC and at the partner's place.
PARTNERS = (
    DemoPartner(
        MAIN, "Devereux IT Services", "EUR", "Europe/Paris", SubscriptionType.TRIAL_ANNUAL, "jp-tokyo", 2, BILLING
    ),
    DemoPartner(OTHER, "Resolute Networks", "USD", "America/New_York", SubscriptionType.MONTHLY, "eu-ireland", 7),
)
# Address, display name, and the kinds of mail. Of trials the administrators hear, as long as nobody is named.
RECIPIENTS = (
    ("admin@demo.example", "Amélie Devereux", ("summary", "recovery", "exceptions", "discovery")),
    ("service-desk@demo.example", "Service desk", ("recovery", "exceptions")),
)
BENCH_PARTNER = DemoPartner(
    BENCH, "Benchmark Partner", "EUR", "Europe/Berlin", SubscriptionType.TRIAL, "de-frankfurt", 2
)

PEOPLE = (
    DemoPerson(
        "admin@demo.example", "Amélie Devereux", "Administrator of DDEVR001", partner=MAIN, role=Role.ADMINISTRATOR
    ),
    DemoPerson(
        "billing@demo.example",
        "Bastian Kroll",
        "Billing only",
        partner=MAIN,
        permissions=(Permission.BILLING_VIEW, Permission.BILLS_PAY, Permission.PAYMENT_MANAGE),
    ),
    DemoPerson(
        "limited@demo.example",
        "Lindiwe Mokoena",
        "Dashboard and three accounts",
        partner=MAIN,
        permissions=(Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS),
        all_accounts=False,
    ),
    DemoPerson(
        "customer@demo.example",
        "Cosima Reuter",
        "A customer's user",
        kind=UserKind.CUSTOMER,
        permissions=(Permission.BACKUPS_RUN, Permission.DATA_EXPORT, Permission.DATA_RESTORE),
        all_accounts=False,
    ),
    DemoPerson(
        "admin@other.example", "Aurelio Santos", "Administrator of RESEL001", partner=OTHER, role=Role.ADMINISTRATOR
    ),
    DemoPerson(DEMO_OPERATOR, "Odette Finch", "Operator of the provider", kind=UserKind.OPERATOR),
)
BENCH_PERSON = DemoPerson(
    "bench@demo.example", "Benno Markwart", "Administrator of BENCH001", partner=BENCH, role=Role.ADMINISTRATOR
)

# Name and email of each customer of MAIN: people and companies, long, short, in many scripts, with signs that
# a page, a CSV or a mail could stumble over.
CUSTOMERS = (
    ("Abigail Thornton", "abigail.thornton@thornton-legal.example"),
    ("Aldermoor Dental Practice", "it@aldermoor-dental.example"),
    ("Alex Kim", "alex.kim@kim-photography.example"),
    ("Alex Kim", "alex.kim@northpoint-surveys.example"),
    ("Anaïs Lefèvre", "anais.lefevre@atelier-lefevre.example"),
    ("Arbor & Finch Landscaping", "office@arborfinch.example"),
    ("Bäckerei Müßiggang & Söhne", "kontakt@bäckerei-müßiggang.example"),
    ("Baltic Timber Trading OÜ", "backup@baltic-timber.example"),
    ("Beatriz Figueiredo", "beatriz@figueiredo-arquitetos.example"),
    ("Blue Heron Sailing School", "hello@blueheron-sailing.example"),
    ("Brightwater Housing Association", "systems@brightwater-housing.example"),
    ("Café Zürich Gastro AG", "admin@cafe-zuerich.example"),
    ("Calloway Freight", "ops@calloway-freight.example"),
    ("Chidi Nwosu", "chidi.nwosu@nwosu-consulting.example"),
    ("Clínica Veterinária São João", "geral@clinica-sao-joao.example"),
    ("Copperfield Books", "mail@copperfield-books.example"),
    ("Čapek Strojírny s.r.o.", "spravce@capek-strojirny.example"),
    ("Delphine Okafor", "delphine+backup@okafor-events.example"),
    ("Dunmore Castle Hotel", "reservations@dunmore-castle.example"),
    ("Eilidh MacGregor", "eilidh@macgregor-textiles.example"),
    ("El Faro Seguros", "sistemas@elfaro-seguros.example"),
    ("Evergreen Physiotherapy", "team@evergreen-physio.example"),
    ("Fairhaven Primary School", "office@fairhaven-school.example"),
    ("Fischer, Vogel & Partner mbB", "kanzlei@fischer-vogel.example"),
    ("Garden of 茶 Tea House", "info@garden-of-tea.example"),
    ("Göteborgs Båtvarv AB", "it@goteborgs-batvarv.example"),
    ("Greta Lindqvist", "greta@lindqvist-design.example"),
    ("Halcyon Robotics", "devops@halcyon-robotics.example"),
    ("Harper, Ng & O'Sullivan LLP", "records@harper-ng-osullivan.example"),
    ("Hélène Dubois-Marchetti", "helene@dubois-marchetti.example"),
    ("Iberia Solar Cooperative", "soporte@iberia-solar.example"),
    ("International Institute for Sustainable Coastal Horticulture", "it@iisca.example"),
    ("Ivo Petrović", "ivo.petrovic@petrovic-film.example"),
    ("Juniper Street Bakery", "orders@juniper-street.example"),
    ("Kowalczyk Księgowość", "biuro@kowalczyk-ksiegowosc.example"),
    ("Lakeshore Community Theatre", "stage@lakeshore-theatre.example"),
    ("Łódź Makers Lab", "lab@lodz-makers.example"),
    ("Lumière Optique", "contact@lumiere-optique.example"),
    ("Magnolia Home Care", "care@magnolia-homecare.example"),
    ("Mei-Ling Zhao", "meiling.zhao@zhao-imports.example"),
    ("Meridian Shipping & Logistics", "it.operations@meridian-shipping.example"),
    ("Nordlys Arkitekter", "post@nordlys-arkitekter.example"),
    ("Oakridge Veterinary Group", "support@oakridge-vets.example"),
    ("Ōtautahi Kayaks", "paddle@otautahi-kayaks.example"),
    ("Paloma Reyes", "paloma@reyes-ceramica.example"),
    ("Peak & Valley Outfitters", "it@peakvalley.example"),
    ("Q", "q@q-branch.example"),
    ("Quillfeather Press", "editor@quillfeather.example"),
    ("Rafael Benítez", "rafael@benitez-notaria.example"),
    ("Riverside Medical Imaging", "pacs@riverside-imaging.example"),
    ("Saffron & Sage Catering", "kitchen@saffronsage.example"),
    ("Stellenberg Wine Estate", "cellar@stellenberg.example"),
    ("Sunny Side Up Café 🍳☀️", "hello@sunnysideup.example"),
    ("Þórunn Jónsdóttir", "thorunn@jonsdottir-jewellery.example"),
    ('Vytautas & Co <Cloud> "Partners"', "info@vytautas-partners.example"),
    ("=SUM Analytics", "data@sum-analytics.example"),
    ("Έλενα Παπαδοπούλου", "elena@papadopoulou-law.example"),
    ("Северный Ветер Логистика", "it@severny-veter.example"),
    ("مكتبة النور للنشر والتوزيع", "info@alnoor-books.example"),
    ("株式会社さくら製作所", "it@sakura-works.example"),
)

OTHER_CUSTOMERS = (
    ("Abigail Thornton", "abigail@thornton-realty.example"),
    ("Bayou Marine Supply", "office@bayou-marine.example"),
    ("Cactus Wren Pediatrics", "frontdesk@cactus-wren.example"),
    ("Dakota Grain Exchange", "it@dakota-grain.example"),
    ("Emerson Ruiz", "emerson@ruiz-roofing.example"),
    ("Foxglove Florists", "shop@foxglove-florists.example"),
    ("Great Basin Credit Union", "security@greatbasin-cu.example"),
    ("Hudson Yards Dance Studio", "studio@hudson-dance.example"),
    ("Imani Brooks", "imani@brooks-tax.example"),
    ("Jefferson County Library", "it@jefferson-library.example"),
    ("Kestrel Avionics", "backup@kestrel-avionics.example"),
    ("Lone Star Print Works", "press@lonestar-print.example"),
)
