import hashlib

from .. import images


def digest_of(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def read_image(source: str, name: str) -> bytes:
    return images.read_bytes(source, name)
