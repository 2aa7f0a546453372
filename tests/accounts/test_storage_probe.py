"""The storage check against real servers on loopback: it writes, reads, deletes, and says what went wrong where."""

import base64
import time

import pytest

from portal_app.accounts import storage_probe
from portal_app.accounts.storage_probe import Limits, Route, parse, probe
from portal_app.errors import Invalid
from portal_app.settings import reset_settings
from tests.accounts.storage_servers import AZURE_ACCOUNT, AZURE_KEY, Answer, Google, S3Server, Shop, Tls

SECRET = "very+secret/value="
DEFAULT, DIRECT = Limits(), Route()
FAST = Limits(operation=0.4, total=15)


@pytest.fixture(autouse=True)
def private_allowed(monkeypatch: pytest.MonkeyPatch, data_dir: object) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "1")
    reset_settings()


def own(url: str, key: str = "AKIAEXAMPLE", secret: str = SECRET, bucket: str = "backups") -> storage_probe.Credentials:
    form = {"endpoint_url": url, "bucket": bucket, "access_key_id": key, "secret_access_key": secret}
    return parse("s3_compatible", form)


def aws(key: str = "AKIAEXAMPLE", secret: str = SECRET, bucket: str = "backups") -> storage_probe.Credentials:
    form = {"region": "eu-central-1", "bucket": bucket, "access_key_id": key, "secret_access_key": secret}
    return parse("aws_s3", form)


def azure(key: str = AZURE_KEY, container: str = "backups") -> storage_probe.Credentials:
    return parse("azure", {"account_name": AZURE_ACCOUNT, "container": container, "account_key": key})


def cloud(google: Google, *, bucket: str = "backups", registered: bool = True) -> storage_probe.Credentials:
    return parse("google_cloud", {"bucket": bucket, "service_account_key": google.key_file(registered=registered)})


def refused(
    credentials: storage_probe.Credentials, *, limits: Limits = DEFAULT, route: Route = DIRECT
) -> tuple[str, str]:
    """The one field and its sentence; nothing of obstore or of a secret may be in either."""
    with pytest.raises(Invalid) as refusal:
        probe(credentials, limits=limits, route=route)
    ((name, sentence),) = refusal.value.fields.items()
    for sign in (SECRET, AZURE_KEY, "Debug", "Generic", "source", "portal_app", "127.0.0.1", "{"):
        assert sign not in sentence
    # A traceback would print the context, and with it obstore's dump.
    assert refusal.value.__context__ is None
    assert refusal.value.__cause__ is None
    return name, sentence


# --- it works --------------------------------------------------------------------------------------


def test_s3_compatible(s3_server: S3Server) -> None:
    probe(own(s3_server.url, *s3_server.users["full"]))


def test_aws(s3_server: S3Server) -> None:
    probe(aws(*s3_server.users["full"]), route=Route(s3_server.url))


def test_azure(azurite: str) -> None:
    probe(azure(), route=Route(azurite))


def test_google(google: Google) -> None:
    probe(cloud(google), route=Route(google.shop.url))
    assert google.shop.files == {}


def test_it_writes_reads_and_deletes_one_file_of_a_new_name() -> None:
    with Shop() as shop:
        probe(own(shop.url))
        probe(own(shop.url))
    methods = [method for method, _ in shop.seen]
    first, second = shop.seen[0][1], shop.seen[3][1]
    assert methods == ["PUT", "GET", "DELETE"] * 2
    assert first.startswith("/backups/portal-check/")
    assert len(first) == len("/backups/portal-check/") + 32
    assert first != second
    assert {path for _, path in shop.seen} == {first, second}
    assert shop.files == {}


def test_https_through_the_relay(tls: Tls) -> None:
    with Shop(tls=tls.context) as shop:
        probe(own(shop.url), route=Route(root_certificate=tls.ca))
    assert len(shop.seen) == 3


def test_the_portals_own_environment_stays_out(
    monkeypatch: pytest.MonkeyPatch, s3_server: S3Server, google: Google, azurite: str
) -> None:
    names = ("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "GOOGLE_BEARER_TOKEN", "AZURE_STORAGE_TOKEN")
    flags = ("AWS_SKIP_SIGNATURE", "AWS_S3_EXPRESS", "GOOGLE_SKIP_SIGNATURE", "AZURE_SKIP_SIGNATURE")
    places = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT")
    values = dict.fromkeys(names, "x") | dict.fromkeys(flags, "true") | dict.fromkeys(places, "http://127.0.0.1:1")
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    probe(own(s3_server.url, *s3_server.users["full"]))
    probe(aws(*s3_server.users["full"]), route=Route(s3_server.url))
    probe(cloud(google), route=Route(google.shop.url))
    probe(azure(), route=Route(azurite))


# --- keys, buckets, rights -------------------------------------------------------------------------


def test_unknown_key(s3_server: S3Server) -> None:
    field, sentence = refused(own(s3_server.url, "AKIANOBODYNOBODY0000"))
    assert (field, sentence) == ("access_key_id", "The storage doesn't know this access key ID.")


def test_wrong_secret(s3_server: S3Server) -> None:
    field, sentence = refused(own(s3_server.url, s3_server.users["full"][0]))
    assert (field, sentence) == ("secret_access_key", "The secret doesn't belong to this access key ID.")


def test_wrong_secret_at_aws(s3_server: S3Server) -> None:
    field, _ = refused(aws(s3_server.users["full"][0]), route=Route(s3_server.url))
    assert field == "secret_access_key"


def test_no_such_bucket(s3_server: S3Server) -> None:
    field, sentence = refused(own(s3_server.url, *s3_server.users["full"], bucket="nowhere"))
    assert (field, sentence) == ("bucket", "The storage has no bucket of this name.")


def test_may_not_write(s3_server: S3Server) -> None:
    field, sentence = refused(own(s3_server.url, *s3_server.users["nothing"]))
    assert field == "access_key_id"
    assert sentence == "The storage refused this key: it's wrong, or may not write there."


def test_may_write_but_not_delete(s3_server: S3Server) -> None:
    field, sentence = refused(own(s3_server.url, *s3_server.users["write_read"]))
    assert field == "access_key_id"
    assert sentence.startswith(
        "This key may write and read files but not delete them. The check's small file portal-check/"
    )
    assert sentence.endswith(" could not be deleted.")


def test_may_write_but_neither_read_nor_delete(s3_server: S3Server) -> None:
    field, sentence = refused(own(s3_server.url, *s3_server.users["write"]))
    assert field == "access_key_id"
    assert sentence.startswith("This key may write files but not read them. The check's small file portal-check/")


def test_may_write_and_delete_but_not_read() -> None:
    with Shop(special={"GET": Answer(403)}) as shop:
        assert refused(own(shop.url)) == ("access_key_id", "This key may write files but not read them.")
    assert shop.files == {}


def test_wrong_azure_key(azurite: str) -> None:
    field, sentence = refused(azure(base64.b64encode(b"x" * 64).decode()), route=Route(azurite))
    assert field == "account_key"
    assert sentence.startswith("The storage refused this key")


def test_no_such_azure_container(azurite: str) -> None:
    field, sentence = refused(azure(container="nowhere"), route=Route(azurite))
    assert (field, sentence) == ("container", "The storage account has no container of this name.")


def test_azure_delete_refused_in_its_batch() -> None:
    part = (
        b"--b\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\n"
        b"HTTP/1.1 403 Not allowed\r\nContent-Length: 0\r\n\r\n\r\n--b--\r\n"
    )
    batch = Answer(202, part, {"Content-Type": "multipart/mixed; boundary=b"})
    with Shop(special={"POST": batch}) as shop:
        field, sentence = refused(azure(), route=Route(f"{shop.url}/{AZURE_ACCOUNT}"))
    assert field == "account_key"
    assert sentence.startswith("This key may write and read files but not delete them.")


def test_unregistered_google_key(google: Google) -> None:
    field, sentence = refused(cloud(google, registered=False), route=Route(google.shop.url))
    assert (field, sentence) == ("service_account_key", "The storage refused this key.")


def test_no_such_google_bucket(google: Google) -> None:
    field, sentence = refused(cloud(google, bucket="nowhere"), route=Route(google.shop.url))
    assert (field, sentence) == ("bucket", "The storage has no bucket of this name.")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(301, b"<Error><Code>PermanentRedirect</Code></Error>"),
        Answer(301),
        Answer(400, b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>"),
        Answer(400, b"<Error><Code>IllegalLocationConstraintException</Code></Error>"),
    ],
    ids=["301 with code", "bare 301", "header", "constraint"],
)
def test_wrong_region(answer: Answer) -> None:
    with Shop(special={"PUT": answer}) as shop:
        assert refused(aws(), route=Route(shop.url)) == ("region", "The bucket lies in another region.")


@pytest.mark.parametrize("status", [400, 405, 409, 500, 503])
def test_another_status_is_named(status: int) -> None:
    with Shop(special={"PUT": Answer(status, SECRET.encode())}) as shop:
        field, sentence = refused(own(shop.url))
    assert field == "endpoint_url"
    assert f"({status})" in sentence
    assert len(shop.seen) == 1, "no retries"


def test_other_content_than_written() -> None:
    with Shop(
        special={"GET": Answer(200, b"another", {"ETag": '"1"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"})}
    ) as shop:
        field, sentence = refused(own(shop.url))
    assert (field, sentence) == ("bucket", "The storage gave back something else than was written.")
    assert shop.files == {}


def test_a_web_page_is_no_storage() -> None:
    page = Answer(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})
    with Shop(special={"PUT": page, "GET": page, "DELETE": page}) as shop:
        field, _ = refused(own(shop.url))
    assert field == "endpoint_url"


# --- hosts, time, TLS ------------------------------------------------------------------------------


def test_unknown_host() -> None:
    assert refused(own("https://nowhere.invalid")) == ("endpoint_url", "No host of this name was found.")


def test_unknown_host_of_a_provider() -> None:
    assert refused(aws(), route=Route("https://nowhere.invalid")) == ("region", "The storage's host wasn't found.")


def test_nothing_listens(closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    assert refused(own(url)) == ("endpoint_url", "Nothing answers at this address and port.")
    assert refused(azure(), route=Route(url)) == ("account_name", "Nothing answers there.")


def test_never_an_answer(silent_port: int) -> None:
    url = f"http://127.0.0.1:{silent_port}"
    begun = time.monotonic()
    assert refused(own(url), limits=FAST) == ("endpoint_url", "No answer within 0.4 seconds.")
    assert refused(azure(), limits=FAST, route=Route(url)) == ("account_name", "No answer within 0.4 seconds.")
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_slow_answer(method: str) -> None:
    with Shop(hold={method}) as shop:
        field, sentence = refused(own(shop.url), limits=FAST)
    assert field == "endpoint_url"
    assert sentence.startswith("No answer within 0.4 seconds.")
    assert ("could not be deleted" in sentence) == (method == "DELETE")


def test_the_three_operations_share_the_total() -> None:
    assert Limits().each == 5
    assert Limits(operation=5, total=6).each == 2
    with Shop(hold={"GET", "DELETE"}) as shop:
        begun = time.monotonic()
        _, sentence = refused(own(shop.url), limits=Limits(operation=5, total=1.2))
    assert sentence.startswith("No answer within 0.4 seconds.")
    assert time.monotonic() - begun < 1.2 + 1


def test_an_unknown_certificate(tls: Tls) -> None:
    with Shop(tls=tls.context) as shop:
        field, sentence = refused(own(shop.url))
        assert refused(aws(), route=Route(shop.url)) == ("region", sentence)
    assert field == "endpoint_url"
    assert sentence.startswith("No secure connection")
    assert shop.seen == []


def test_https_where_only_http_is_spoken() -> None:
    with Shop() as shop:
        field, sentence = refused(own(shop.url.replace("http:", "https:")))
    assert field == "endpoint_url"
    assert sentence.startswith("No secure connection")
