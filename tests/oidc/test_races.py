"""Two at the same moment, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from sqlmodel import Session, select

from portal_app import db
from portal_app.auth.steps import StepKind
from portal_app.models import ExternalIdentity, SignInType, User
from portal_app.oidc import providers, service
from portal_app.oidc.exchange import Identity
from tests import factories
from tests.cast import HERE
from tests.stores import Environment


def _person(session: Session) -> User:
    return factories.user(session, factories.partner(session), sign_in_type=SignInType.GOOGLE, password_hash=None)


def test_of_two_subjects_with_one_address_one_is_bound(store: Environment) -> None:
    user, provider = db.write(_person), providers.find("google")
    assert provider

    def enter(number: int) -> StepKind:
        identity = Identity("https://issuer.example", f"subject-{number % 2}", user.email)
        return db.write(service.enter, provider, identity, HERE).kind

    with ThreadPoolExecutor(8) as pool:
        kinds = list(pool.map(enter, range(16)))
    with db.reading() as session:
        (row,) = session.exec(select(ExternalIdentity)).all()
    bound = int(row.subject[-1])
    assert all(kind == (StepKind.DONE if n % 2 == bound else StepKind.REFUSED) for n, kind in enumerate(kinds))


def test_of_many_ways_back_with_one_state_one_is_good(store: Environment) -> None:
    provider = providers.find("google")
    assert provider
    left = db.write(service.depart, provider, "/accounts/7")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: db.write(service.come_back, provider, left.state, left.secret), range(16)))
    assert sorted(found, key=str) == ["/accounts/7", *[None] * 15]
