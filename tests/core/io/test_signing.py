"""Signatures by a certificate made for the test; without c2pa-python, what is said instead."""

import datetime
import importlib.util

import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.io.images import Photo, read_photo, write_image
from uvface.core.io.provenance import Provenance, read_provenance
from uvface.core.io.sidecar import is_intact, read_sidecar
from uvface.core.io.signing import ContentSigner, read_credentials
from uvface.editing.result import EditResult

HAS_C2PA = importlib.util.find_spec("c2pa") is not None
IMAGE = np.random.default_rng(0).random((64, 64, 3), np.float32)


def certificate(common_name, key, issuer=None, issuer_key=None):
    """Return a certificate of the C2PA profile; without an issuer that of an authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)
    is_authority = issuer is None
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if is_authority else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        ).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    return builder.sign(issuer_key or key, hashes.SHA256())


@pytest.fixture
def signer(tmp_path):
    """Return a signer; its files are no certificate where c2pa-python is not installed."""
    chain, key_file = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"none"), key_file.write_bytes(b"none")
    if HAS_C2PA:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = certificate("Test authority", root_key)
        own = certificate("Test signer", key, root, root_key)
        pem = serialization.Encoding.PEM
        chain.write_bytes(own.public_bytes(pem) + root.public_bytes(pem))
        key_file.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    return ContentSigner(certificate=chain, key=key_file)


def result():
    return EditResult(
        image=IMAGE, faces=[], photo=Photo(image=IMAGE), operation="swap", settings={}
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_signed_pictures_are_read_and_checked(tmp_path, signer, suffix):
    path = tmp_path / f"out{suffix}"
    if not HAS_C2PA:
        with pytest.raises(InputError, match=r"uvface\[c2pa\]"):
            result().save(path, signer=signer)
        assert {p.name for p in tmp_path.iterdir()} == {"chain.pem", "key.pem"}
        return
    result().save(path, signer=signer)
    found = read_credentials(path)
    assert found["state"] == "Valid" and found["signed_by"] == "Test"
    assert found["problems"] == ["signingCredential.untrusted"]  # nobody knows the test's authority
    assert read_provenance(path) == Provenance(operation="swap")
    assert is_intact(path, read_sidecar(path))
    write_image(tmp_path / f"plain{suffix}", IMAGE)
    assert read_credentials(tmp_path / f"plain{suffix}") is None
    expected = read_photo(tmp_path / f"plain{suffix}").image
    assert (read_photo(path).image == expected).all()
    content = bytearray(path.read_bytes())
    content[-len(content) // 20] ^= 1
    path.write_bytes(content)
    found = read_credentials(path)
    assert found is None or found["state"] == "Invalid"


@pytest.mark.parametrize("name", ["out.bmp", "out.GIF", "out"])
def test_formats_that_cannot_be_signed_are_named(signer, name):
    with pytest.raises(InputError, match=rf"^{name} .* cannot be signed; .*\.png, \.jpg"):
        signer.sign(b"a picture", name=name, operation="swap")


def test_keys_that_do_not_sign_are_named(tmp_path, signer):
    signer.key.write_bytes(b"no key")
    expected = r"key\.pem" if HAS_C2PA else "c2pa-python"
    with pytest.raises(InputError, match=expected):
        result().save(tmp_path / "out.png", signer=signer)
    with pytest.raises(InputError, match=expected):
        result().save(tmp_path / "out" / "out.png", signer=signer)
    assert not list(tmp_path.glob("*out*"))
