"""C2PA content credentials: a signature in the picture by the user's own certificate.

Optional: it needs ``c2pa-python`` (``pip install 'uvface[c2pa]'``) and a certificate chain. Where a
signed picture is changed, those who check it see that. Signatures hold random numbers, so that a
signed picture differs from run to run.

References:
    Coalition for Content Provenance and Authenticity, "C2PA Technical Specification 2.2", 2025:
    actions, digital source types, certificate profile.
"""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_bytes
from .provenance import COMPOSITE_SYNTHETIC, software_name

__all__ = ["ContentSigner", "read_credentials"]

_ALGORITHMS = (b"es256", b"es384", b"es512", b"ps256", b"ed25519")
_MIME = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


def _library() -> Any:
    try:
        import c2pa
    except ImportError:
        need = "signing needs the package c2pa-python; pip install 'uvface[c2pa]'"
        raise InputError(need) from None
    return c2pa


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContentSigner:
    """Signs pictures with a user's certificate.

    Attributes:
        certificate: PEM file, the signer's certificate first, then those that issued it.
        key: PEM file of its private key (PKCS #8).
    """

    certificate: Path
    key: Path

    def sign(self, content: bytes, *, name: str, operation: str) -> bytes:
        """Return an encoded picture with a signed manifest in it.

        Args:
            content: the picture's file.
            name: file name; its suffix says the format.
            operation: what was done.

        Raises:
            InputError: the format holds no signature, c2pa-python is not installed, or certificate
                and key do not sign.
        """
        mime = _MIME.get(Path(name).suffix.lower())
        if mime is None:
            raise InputError(f"{name} has a format that cannot be signed; use {', '.join(_MIME)}")
        library = _library()
        chain, key = read_bytes(self.certificate), read_bytes(self.key)
        builder = json.dumps(_manifest(name, operation))
        problem = ""
        for algorithm in _ALGORITHMS:  # the one that the key is for; the others refuse
            signed = io.BytesIO()
            try:
                signer = library.Signer.from_info(
                    library.C2paSignerInfo(
                        alg=algorithm, sign_cert=chain, private_key=key, ta_url=None
                    )
                )
                library.Builder(builder).sign(signer, mime, io.BytesIO(content), signed)
                return signed.getvalue()
            except library.C2paError as error:
                problem = problem or " ".join(str(error).split())
        raise InputError(
            f"cannot sign with {self.certificate} and {self.key} ({problem}); need a PEM chain "
            "with the signer's certificate first, for e-mail protection or document signing, "
            "and its key in PKCS #8"
        )


def _manifest(name: str, operation: str) -> dict[str, Any]:
    software, _, version = software_name().partition(" ")
    action = {
        "action": "c2pa.created",
        "softwareAgent": {"name": software, "version": version or "0"},
        "digitalSourceType": COMPOSITE_SYNTHETIC,
        "description": operation,
    }
    return {
        "claim_generator_info": [{"name": software, "version": version or "0"}],
        "title": name,
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }


def read_credentials(path: str | Path) -> dict[str, Any] | None:
    """Return what a picture's content credentials say; None without any, or without c2pa-python.

    Returns:
        ``{"state", "signed_by", "problems"}``; the state is ``Valid``, ``Trusted`` or ``Invalid``.
    """
    path = Path(path)
    try:
        library = _library()
    except InputError:
        return None
    mime = _MIME.get(path.suffix.lower())
    if mime is None:
        return None
    try:
        reader = library.Reader(mime, io.BytesIO(read_bytes(path)))
        found = json.loads(reader.json())
    except library.C2paError:
        return None
    active = found.get("manifests", {}).get(found.get("active_manifest"), {})
    return {
        "state": found.get("validation_state"),
        "signed_by": active.get("signature_info", {}).get("issuer"),
        "problems": [status["code"] for status in found.get("validation_status", [])],
    }
