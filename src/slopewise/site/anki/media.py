"""What kinds of media are kept, known by their first bytes and not by their names."""

from __future__ import annotations

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
SUFFIXES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
}


def kind_of(content: bytes) -> str | None:
    """Return the media type of a raster image or a sound, None of anything else: SVG can hold script.

    Examples
    --------
    >>> kind_of(b"GIF89a...."), kind_of(b"<svg onload='x()'>"), kind_of(b"RIFF....WEBPVP8 ")
    ('image/gif', None, 'image/webp')
    """
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    if content[4:8] == b"ftyp" and content[8:12] in (b"M4A ", b"mp42", b"isom"):
        return "audio/mp4"
    return next((kind for start, kind in _STARTS if content.startswith(start)), None)
