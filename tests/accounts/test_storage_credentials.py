"""What the four storages' forms take, and the sentence beside each field that they don't."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from portal_app.accounts.storage_probe import AwsS3, Azure, GoogleCloud, S3Compatible, from_json, parse, to_json
from portal_app.errors import Invalid
from tests.accounts.storage_servers import AZURE_KEY, Google, Shop, _pem

AWS = {"bucket": "backups", "region": "eu-central-1", "access_key_id": "AKIAEXAMPLE", "secret_access_key": "s3cr3t/+="}
OWN = {**AWS, "endpoint_url": "https://s3.example.com", "region": ""}
AZURE = {"account_name": "backups1", "container": "daily-1", "account_key": AZURE_KEY}
GOOGLE = {"bucket": "backups", "service_account_key": Google(Shop()).key_file()}
FORMS = {"aws_s3": AWS, "s3_compatible": OWN, "google_cloud": GOOGLE, "azure": AZURE}


def faults(kind: str, **changes: object) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        parse(kind, {**FORMS[kind], **changes})
    return refusal.value.fields


@pytest.mark.parametrize("kind", FORMS)
def test_a_right_form_is_taken_and_comes_back_from_storage(kind: str) -> None:
    credentials = parse(kind, FORMS[kind])
    assert credentials.kind == kind
    assert from_json(to_json(credentials)) == credentials


@pytest.mark.parametrize("kind", FORMS)
def test_an_empty_form_names_every_needed_field(kind: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(kind, {})
    assert set(refusal.value.fields) == set(FORMS[kind]) - ({"region"} if kind == "s3_compatible" else set())
    assert all(sentence.startswith("Enter ") for sentence in refusal.value.fields.values())


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in FORMS for name in FORMS[kind]])
@pytest.mark.parametrize(
    "value", ["x" * 20_000, "a\x00b", "a\nb", "ab\u2028c", "é"], ids=["long", "null", "line", "sep", "é"]
)
def test_oversized_and_invisible_text_is_refused_beside_its_field(kind: str, name: str, value: str) -> None:
    assert list(faults(kind, **{name: value})) == [name]


@pytest.mark.parametrize("value", [5, True, ["x"], {"a": "b"}, b"bytes", None])
def test_other_than_text_reads_as_empty(value: object) -> None:
    assert faults("aws_s3", bucket=value) == {"bucket": "Enter the bucket's name."}


def test_no_secret_in_errors_or_texts() -> None:
    assert "s3cr3t" not in repr(parse("aws_s3", AWS)) + str(parse("aws_s3", AWS))
    with pytest.raises(Invalid) as refusal:
        parse("aws_s3", {**AWS, "secret_access_key": "s3cr3t with a space"})
    assert "s3cr3t" not in repr(refusal.value.fields)
    assert refusal.value.__context__ is None


def test_not_even_pydantics_own_message_quotes_a_secret() -> None:
    with pytest.raises(ValidationError) as fault:
        AwsS3.model_validate({**AWS, "secret_access_key": "s3cr3t with a space"})
    assert "s3cr3t" not in str(fault.value)


def test_space_around_is_dropped() -> None:
    assert parse("s3_compatible", {**OWN, "bucket": " backups\n"}) == parse("s3_compatible", OWN)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        parse("ftp", {})
    assert refusal.value.fields == {"storage": "Choose one of the storages."}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("aws_s3", "bucket", "My_Bucket"),
        ("aws_s3", "bucket", "a..b"),
        ("aws_s3", "bucket", "a/b"),
        ("aws_s3", "region", "Frankfurt"),
        ("aws_s3", "region", "eu-central-1.evil.example"),
        ("aws_s3", "region", "x@evil.example/eu-central-1"),
        ("aws_s3", "access_key_id", "AK/IA"),
        ("s3_compatible", "bucket", ".."),
        ("azure", "account_name", "evil.example/x"),
        ("azure", "container", "a--b"),
        ("azure", "account_key", "bm90IGxvbmcgZW5vdWdo"),
        ("azure", "account_key", base64.b64encode(b"x" * 65).decode()),
        ("google_cloud", "bucket", "a/b"),
    ],
)
def test_malformed_parts_never_reach_a_host_or_path(kind: str, name: str, value: str) -> None:
    assert list(faults(kind, **{name: value})) == [name]


@pytest.mark.parametrize(
    "url",
    [
        "s3.example.com",
        "ftp://s3.example.com",
        "file:///etc/passwd",
        "https://",
        "https://user@s3.example.com",
        "https://user:word@s3.example.com",
        "https://:word@s3.example.com",
        "https://s3.example.com/?list=1",
        "https://s3.example.com/#a",
        "https://s3.example.com/a b",
        "https://s3.example.com:99999",
        "https://s3.example.com:0",
        "https://s3.example.com:x",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://exa mple.com",
        "http://exam\\ple.com",
        "https://a..b.com",
        "https://-a.com",
        "ht!tp://x",
    ],
)
def test_a_bad_endpoint_is_refused(url: str) -> None:
    assert list(faults("s3_compatible", endpoint_url=url)) == ["endpoint_url"]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("HTTPS://S3.Example.com/", "https://s3.example.com"),
        ("http://10.0.0.1:9000", "http://10.0.0.1:9000"),
        ("http://[2001:db8::1]:9000/", "http://[2001:db8::1]:9000"),
        ("https://minio_1.example.com/base/", "https://minio_1.example.com/base"),
    ],
)
def test_a_good_endpoint_is_kept_in_one_form(url: str, kept: str) -> None:
    credentials = parse("s3_compatible", {**OWN, "endpoint_url": url})
    assert isinstance(credentials, S3Compatible)
    assert credentials.endpoint_url == kept


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '"text"',
        "[" * 16_000,
        "{}",
        '{"type": "authorized_user"}',
        Google(Shop()).key_file(private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        Google(Shop()).key_file(private_key=_pem(ec.generate_private_key(ec.SECP256R1()))),
        Google(Shop()).key_file(client_email=5),
        Google(Shop()).key_file(private_key_id=""),
    ],
    ids=["cut", "list", "text", "deep", "empty", "user", "damaged", "not RSA", "number", "no id"],
)
def test_a_bad_key_file_is_refused(text: str) -> None:
    found = faults("google_cloud", service_account_key=text)
    assert list(found) == ["service_account_key"]
    assert "PRIVATE KEY" not in found["service_account_key"]


def test_a_crafted_key_file_keeps_only_what_signs() -> None:
    text = Google(Shop()).key_file(gcs_base_url="http://127.0.0.1:1", disable_oauth=True)
    credentials = parse("google_cloud", {"bucket": "backups", "service_account_key": text})
    assert isinstance(credentials, GoogleCloud)
    kept = json.loads(credentials.service_account_key.get_secret_value())
    assert set(kept) == {"type", "client_email", "private_key_id", "private_key"}


def test_an_azure_key_keeps_its_form() -> None:
    credentials = parse("azure", AZURE)
    assert isinstance(credentials, Azure)
    assert credentials.account_key.get_secret_value() == AZURE_KEY
