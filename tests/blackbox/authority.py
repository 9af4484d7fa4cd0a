# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made with openssl."""
import subprocess

KINDS = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_pair(folder, name="server", kind="ec"):
    """A certificate for 127.0.0.1 and localhost that vouches for itself, and its key, as files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", 2, "-subj", f"/CN={name}", "-addext", NAMES,
            "-keyout", key, "-out", cert)
    return cert, key


def make_chain(folder):
    """A certificate and that of the authority behind it in one file, its key, and the authority's certificate alone."""
    authority, authority_key = make_pair(folder, "authority")
    chain, key, request, names = (folder / name for name in ("chain.pem", "chain.key", "chain.csr", "names"))
    names.write_text(NAMES)
    openssl("req", "-newkey", *KINDS["ec"], "-nodes", "-subj", "/CN=leaf", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-days", 2,
            "-extfile", names, "-out", chain)
    chain.write_text(chain.read_text() + authority.read_text())
    return chain, key, authority
