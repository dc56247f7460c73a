"""The GSM 7-bit default alphabet with its extension table, packed and unpacked (3GPP TS 23.038)."""

from __future__ import annotations

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
ESCAPE = 0x1B

_SEPTETS: dict[str, bytes] = {char: bytes([code]) for code, char in enumerate(BASIC) if code != ESCAPE}
_SEPTETS |= {char: bytes([ESCAPE, code]) for code, char in EXTENSION.items()}


def is_gsm7(text: str) -> bool:
    return all(char in _SEPTETS for char in text)


def to_septets(text: str) -> bytes:
    """One septet per byte; an extension character takes two. Raises KeyError outside the alphabet."""
    return b"".join(_SEPTETS[char] for char in text)


def from_septets(septets: bytes) -> str:
    """An unknown escape sequence shows the basic character, as the standard asks; a lone escape is a space."""
    text: list[str] = []
    codes = iter(septets)
    for code in codes:
        if code != ESCAPE:
            text.append(BASIC[code])
            continue
        following = next(codes, None)
        if following is None or following == ESCAPE:
            text.append(" ")
        else:
            text.append(EXTENSION.get(following, BASIC[following]))
    return "".join(text)


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Septets to octets, lowest bit first, after `fill_bits` zeros (which follow a user data header)."""
    bits = 0
    for position, septet in enumerate(septets):
        bits |= septet << (7 * position + fill_bits)
    return bits.to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets out of the octets; fewer when the octets end before."""
    bits = int.from_bytes(octets, "little") >> fill_bits
    available = max(0, (8 * len(octets) - fill_bits) // 7)
    return bytes(bits >> (7 * position) & 0x7F for position in range(min(count, available)))
