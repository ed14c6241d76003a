"""What is wrong with a request, in words that no service owns; each service gives them its form."""

from enum import Enum, auto


class Reason(Enum):
    """Why a request is refused."""

    FIELD = auto()  # a field is absent or wrong
    IMAGE_SIZE = auto()  # too few or too many pixels
    TOO_MANY_BYTES = auto()
    TOO_SLOW = auto()  # the body did not come in time
    FILE_NAME = auto()
    FILE_TYPE = auto()  # no image format that is read here
    FILE_BROKEN = auto()  # the right format, but it cannot be decoded
    SEVERAL_FILES = auto()
    MEDIA_TYPE = auto()  # the body's content type or encoding
    UNFETCHABLE = auto()  # an address that is not asked, or gave no image


class Refusal(Exception):  # noqa: N818 - the word of the protocol for it
    """A request that is refused: the reason, the field to blame, and what was expected.

    The text goes back to the client; it never quotes a key or a token.
    """

    def __init__(self, reason: Reason, field: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.message = message
