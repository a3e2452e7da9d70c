"""Which ideas two sentences of a learner seem to hold: hints from accepted phrasings, to be overruled.

A phrasing is a few words that stand near each other in a sentence, in any order:

- ``mean|average`` is either word; ``learn*`` is any word that begins so;
- words are compared in small letters and without common endings; negations are all ``not``;
- a phrasing that holds none is not found where the words nearby are negated.

Nothing is run and nothing is guessed from meaning: an idea in words that nobody foresaw is not found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

GAP = 5  # words that may stand between those of a phrasing
LONGEST_TEXT = 2000
_NEGATIONS = frozenset(
    ("not", "no", "never", "without", "cannot", "neither", "nor", "none", "nothing", "nobody", "hardly")
)
_ENDINGS = ("ing", "ies", "ed", "es", "s", "e", "y")
_SHORTEST_STEM = 3


@dataclass(frozen=True)
class Phrasing:
    """Words, each with its alternatives: stems, or beginnings of words."""

    words: tuple[tuple[str, ...], ...]

    @property
    def is_negative(self) -> bool:
        """Whether the phrasing itself holds a negation, if only as one of several words."""
        return any("not" in group for group in self.words)


def read_phrasing(text: str) -> Phrasing:
    """Return a phrasing as it is written in `prompts.toml`.

    Examples
    --------
    >>> read_phrasing("against|opposite gradient*").words
    (('against', 'opposit'), ('gradient*',))
    """
    words = [
        tuple(word if word.endswith("*") else _token(word) for word in group.lower().split("|") if word)
        for group in text.split()
    ]
    if not words or not all(words):
        raise ValueError(f"{text!r} is no phrasing")
    return Phrasing(tuple(words))


def ideas_in(text: str, accepted: Sequence[Sequence[Phrasing]]) -> list[bool]:
    """Return for each idea whether one of its phrasings is found in a text."""
    sentences = [_tokens(sentence) for sentence in re.split(r"[.!?;:\n]+", text[:LONGEST_TEXT])]
    return [any(_is_in(phrasing, sentences) for phrasing in idea) for idea in accepted]


def stem(word: str) -> str:
    """Return a word without a common ending; both sides lose theirs alike, so it need not be a word.

    Examples
    --------
    >>> stem("multiplies"), stem("steps"), stem("averaged"), stem("is")
    ('multipl', 'step', 'averag', 'is')
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def _tokens(sentence: str) -> list[str]:
    text = sentence.lower().replace("’", "'").replace("n't", " not").replace("mini-batch", "minibatch")
    words = re.findall(r"[^\W_]+", text)
    return [_token(word) for word in words]


def _token(word: str) -> str:
    return "not" if word in _NEGATIONS else stem(word)


def _is_in(phrasing: Phrasing, sentences: Sequence[Sequence[str]]) -> bool:
    return any(_is_in_sentence(phrasing, tokens) for tokens in sentences)


def _is_in_sentence(phrasing: Phrasing, tokens: Sequence[str]) -> bool:
    """Try each token that fits the first word, and take for the others the nearest tokens that fit."""
    reach = len(phrasing.words) + GAP
    for start in _fitting(phrasing.words[0], tokens):
        places = [start]
        for word in phrasing.words[1:]:
            near = [at for at in _fitting(word, tokens) if abs(at - start) < reach and at not in places]
            if not near:
                break
            places.append(min(near, key=lambda at: abs(at - start)))
        else:
            if phrasing.is_negative or not _is_negated(tokens, min(places), max(places)):
                return True
    return False


def _fitting(word: Sequence[str], tokens: Sequence[str]) -> list[int]:
    return [at for at, token in enumerate(tokens) if any(_fits(choice, token) for choice in word)]


def _fits(choice: str, token: str) -> bool:
    """Compare a word of a phrasing with one of a text; a beginning that is longer than a stem fits it too."""
    if not choice.endswith("*"):
        return token == choice
    return token.startswith(choice[:-1]) or token == stem(choice[:-1])


def _is_negated(tokens: Sequence[str], first: int, last: int) -> bool:
    """Say whether a negation stands among the words, or up to two words before them."""
    return "not" in tokens[max(0, first - 2) : last + 1]
