"""What kinds of media are kept, known by their first bytes and not by their names."""

from __future__ import annotations

import re

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
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


_SOUNDS_IN_OGG = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")  # what its first packet begins with
_FIRST_PACKET = 28  # behind the header of the first page, whose table of lengths has one row
_TRACKS = re.compile(rb"hdlr.{8}(.{4})", re.DOTALL)  # the kind that each track of an MP4 declares


def kind_of(content: bytes) -> str | None:
    """Return the media type of a raster image or a sound, None of anything else.

    SVG can hold script. What holds pictures that move is no sound, though the container may be one's.

    Examples
    --------
    >>> kind_of(b"GIF89a...."), kind_of(b"<svg onload='x()'>"), kind_of(b"RIFF....WEBPVP8 ")
    ('image/gif', None, 'image/webp')
    """
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    if content[:4] == b"OggS":
        return "audio/ogg" if content[_FIRST_PACKET:].startswith(_SOUNDS_IN_OGG) else None
    if content[4:8] == b"ftyp":
        tracks = set(_TRACKS.findall(content))
        return "audio/mp4" if b"soun" in tracks and b"vide" not in tracks else None
    return next((kind for start, kind in _STARTS if content.startswith(start)), None)


def is_video(content: bytes) -> bool:
    """Whether bytes are a video, as far as their first ones tell.

    Examples
    --------
    >>> is_video(b"\\x1aE\\xdf\\xa3 of Matroska and WebM"), is_video(b"GIF89a....")
    (True, False)
    """
    if content[4:8] == b"ftyp":
        return b"vide" in _TRACKS.findall(content)
    return (
        content.startswith((b"\x1aE\xdf\xa3", b"FLV\x01", b"\x00\x00\x01\xba"))
        or (content[:4] == b"RIFF" and content[8:12] == b"AVI ")
        or (content[:4] == b"OggS" and content[_FIRST_PACKET:].startswith(b"\x80theora"))
    )
