"""Forensics and Content Credentials of the sandbox, against images made for them."""

import base64
import datetime
import io
import json
import socket
import sys

import cv2
import httpx2
import numpy as np
import pytest
from PIL import Image
from sandbox_client import corner, encode, picture

from runmask import images
from runmask.sandbox import Settings, running
from runmask.sandbox.credentials import credentials_of
from runmask.sandbox.forensics import OCTAVES, PEAK_DB, examine, octaves_of, spectrum, told

HEADERS = {"Authorization": "Bearer aidet_test_f"}


def noisy(sigma=6.0, height=640, width=768):
    rng = np.random.default_rng(1)
    plane = 128 + rng.normal(0, sigma, (height, width, 1))
    return np.repeat(plane, 3, axis=2).clip(0, 255).astype(np.uint8)


def test_the_noise_is_measured():
    """The residual of white noise above a Gaussian of sigma 1, from its impulse response."""
    kernel = -np.outer(*[cv2.getGaussianKernel(9, 1.0)[:, 0]] * 2)
    kernel[4, 4] += 1
    levels = {}
    for sigma in (3.0, 6.0):
        expected = sigma * np.sqrt((kernel**2).sum()) * np.sqrt(2 / np.pi)
        levels[sigma] = float(np.median(examine(noisy(sigma)).noise))
        assert 0.5 * expected < levels[sigma] < 0.65 * expected  # the quietest quarter's
    assert levels[6.0] / levels[3.0] == pytest.approx(2, rel=0.05)


def test_octaves_of_white_noise_are_its_areas():
    shares = octaves_of(spectrum(noisy()[:, :, 0]))
    ring = [np.pi * (0.5 / 2**n) ** 2 - np.pi * (0.25 / 2**n) ** 2 for n in range(OCTAVES)]
    ring[0] = 1 - np.pi * 0.25**2  # and the corners
    assert shares == pytest.approx(ring, rel=0.1)
    smooth = octaves_of(spectrum(cv2.GaussianBlur(noisy(40)[:, :, 0], (0, 0), 4)))
    assert smooth[0] < 0.05 < smooth[3]
    assert octaves_of(spectrum(np.full((300, 300), 9, np.uint8))) == (0.0,) * OCTAVES


@pytest.mark.parametrize("at", [(0.31, 0.22), (0.4375, 0.0), (0.19, 0.45)])
def test_a_regular_pattern_is_found_where_it_is(at):
    plain = noisy()
    y, x = np.mgrid[0 : plain.shape[0], 0 : plain.shape[1]]
    wave = 4 * np.cos(2 * np.pi * (at[0] * x + at[1] * y))
    patterned = (plain + wave[:, :, None]).clip(0, 255).astype(np.uint8)
    assert examine(plain).peak_db < PEAK_DB
    found = examine(patterned)
    assert found.peak_db > PEAK_DB
    assert found.peak_at == pytest.approx(at, abs=2 / 256)
    assert told(found)["frequency_anomalies"] is True


def test_the_blocks_of_jpeg_are_no_anomaly():
    file = io.BytesIO()
    Image.fromarray(noisy(12)).save(file, "JPEG", quality=30)
    assert examine(images.read(file.getvalue())).peak_db < PEAK_DB


def test_what_is_unlike_the_rest_is_where_it_was_put():
    image = noisy()
    image[160:320, 200:400] = cv2.GaussianBlur(image, (0, 0), 1.5)[160:320, 200:400]
    found = examine(image)
    tile = image.shape[0] // found.noise.shape[0]
    rows, columns = slice(160 // tile + 1, 320 // tile - 1), slice(200 // tile + 1, 400 // tile - 1)
    for name in ("noise", "frequency"):
        values = found.maps[name]
        outside = np.delete(values, np.arange(160 // tile - 4, 320 // tile + 4), axis=0)
        assert values[rows, columns].mean() > 3 * outside.mean()
    assert found.noise[rows, columns].max() < 0.6 * np.median(found.noise)
    assert told(found)["noise_pattern"] == "inconsistent"
    assert told(examine(noisy()))["noise_pattern"] == "consistent"


@pytest.mark.parametrize("shape", [(64, 64), (65, 200), (3000, 64), (257, 255)])
def test_any_size_and_one_colour(shape):
    for image in (np.zeros((*shape, 3), np.uint8), picture(*shape)):
        numbers = told(examine(image))
        assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


@pytest.fixture(scope="module")
def client():
    with (
        running(Settings(detector=corner)) as origin,
        httpx2.Client(base_url=origin, trust_env=False, headers=HEADERS, timeout=20) as client,
    ):
        yield client


def post(client, path, data, name="a.png"):
    answer = client.post(path, files={"image": (name, data)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_forensics_are_served_with_their_maps(client):
    data = encode(picture())
    forensic = post(client, "/v1/forensics", data)["forensic"]
    found = examine(images.read(data))
    assert forensic["ela_score"] == told(found)["ela_score"]
    assert forensic["error_level"]["max"] == pytest.approx(float(found.error_level.max()), abs=1e-3)
    assert set(forensic["maps"]) == {"error_level", "noise", "frequency"}
    for name, url in forensic["maps"].items():
        answer = httpx2.get(url, trust_env=False)
        assert answer.headers["content-type"] == "image/png"
        shape = tuple(4 * side for side in found.maps[name].shape)
        assert images.read(answer.content).shape == (*shape, 3)
    assert forensic["c2pa_manifest"] is None


def test_the_exif_is_read(client):
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Maker", "Model 7", "Editor 2"
    exif.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
    Image.fromarray(picture()).save(file, "JPEG", exif=exif)
    forensic = post(client, "/v1/forensics", file.getvalue(), "a.jpg")["forensic"]
    assert forensic["exif_present"] is True
    assert forensic["exif"] == {
        "Make": "Maker", "Model": "Model 7", "Software": "Editor 2",
        "DateTimeOriginal": "2026:01:02 03:04:05",
    }  # fmt: skip
    bare = post(client, "/v1/forensics", encode(picture()))["forensic"]
    assert (bare["exif_present"], bare["exif"]) == (False, {})


# -- Content Credentials


@pytest.fixture(scope="module")
def sign():
    """A function that gives a PNG or JPEG credentials, by a certificate made for it."""
    c2pa = pytest.importorskip("c2pa")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)

    def certificate(name, key, issuer, issuer_key, *, authority):
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"),
            False,
        )  # fmt: skip
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True, key_cert_sign=authority, crl_sign=authority, **usage
                ),
                True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
            )
        )
        if not authority:
            usages = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            built = built.add_extension(usages, False)
        return built.sign(issuer_key, hashes.SHA256())

    def name_of(text):
        return x509.Name(
            [
                x509.NameAttribute(x509.oid.NameOID.ORGANIZATION_NAME, "Makers of Tests"),
                x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text),
            ]
        )

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, leaf_name = name_of("Root"), name_of("Signer")
    root = certificate(root_name, root_key, root_name, root_key, authority=True)
    leaf = certificate(leaf_name, key, root_name, root_key, authority=False)
    pem = serialization.Encoding.PEM
    chain = leaf.public_bytes(pem) + root.public_bytes(pem)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def sign(data, mime="image/png", remote_url=None):
        action = {
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        }
        manifest = {
            "claim_generator_info": [{"name": "maker of tests", "version": "1"}],
            "title": "test",
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        information = c2pa.C2paSignerInfo(b"es256", chain, private, None)
        signed = io.BytesIO()
        with c2pa.Signer.from_info(information) as signer, c2pa.Builder(manifest) as builder:
            if remote_url is not None:
                builder.set_no_embed()
                builder.set_remote_url(remote_url)
            builder.sign(signer, mime, io.BytesIO(data), signed)
        return signed.getvalue()

    return sign


def test_credentials_are_verified(client, sign):
    data = sign(encode(picture()))
    told = post(client, "/v1/c2pa/verify", data)
    assert told["c2pa_manifest_present"] is True
    assert (told["valid"], told["trusted"]) == (True, False)
    assert told["claim_generator"] == "maker of tests"
    assert told["issuer"] == "Makers of Tests"
    assert told["actions"] == ["c2pa.created"]
    forensic = post(client, "/v1/forensics", data)["forensic"]
    assert forensic["c2pa_manifest"]["valid"] is True
    detected = client.post("/v1/detect", json={"image_base64": _base64(data)}, headers=HEADERS)
    assert detected.json()["c2pa_manifest_present"] is True


def test_a_pixel_that_was_changed_is_noticed(client, sign):
    data = bytearray(sign(encode(picture(), ".jpg"), "image/jpeg"))
    data[-200] ^= 1
    told = post(client, "/v1/c2pa/verify", bytes(data), "a.jpg")
    assert told["valid"] is False
    assert "assertion.dataHash.mismatch" in told["problems"]


def test_files_without_credentials(client, sign):
    plain = encode(picture())
    told = post(client, "/v1/c2pa/verify", plain)
    assert (told["c2pa_manifest_present"], told["valid"]) == (False, None)
    words = plain + b"jumb c2pa"
    assert credentials_of(words).present is False
    cut = sign(plain)[:3000]
    assert credentials_of(cut).valid is not True


def test_a_manifest_elsewhere_is_not_fetched(sign):
    """The file names an address on this machine, where nobody may come to ask."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        data = sign(encode(picture()), remote_url=url)
        assert url.encode() in data
        assert credentials_of(data).present is False
        found = credentials_of(data + b"jumb c2pa")
        assert found.valid is None
        assert "not fetched" in found.note
        with pytest.raises(TimeoutError):
            server.accept()


def test_without_the_library_it_is_found_and_not_verified(sign, monkeypatch):
    data = sign(encode(picture()))
    monkeypatch.setitem(sys.modules, "c2pa", None)
    found = credentials_of(data)
    assert (found.present, found.valid) == (True, None)
    assert "runmask[c2pa]" in found.note


def _base64(data):
    return base64.b64encode(data).decode()
