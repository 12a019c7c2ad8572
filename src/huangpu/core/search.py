"""Search in Chinese and in any other script with PostgreSQL's core alone: pairs of characters in a `tsvector`.

Chinese is written without spaces; overlapping pairs find every word of two characters and more, need no dictionary, and
miss nothing (recall 1, measured in design/anchors/travel-directory-city). Store `to_tsvector('simple', bigrams(text))`,
ask with `to_tsquery('simple', query(text))`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"([{HAN}]+)|((?:(?![{HAN}])[^\W_])+)")
TEXT_LENGTH_MAX = 100_000  # characters that are indexed; a tsvector ends at 1 MB
QUERY_TOKENS_MAX = 32


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """The words of a text, folded to one width and case, each with whether it is Chinese."""
    for found in _TOKEN.finditer(unicodedata.normalize("NFKC", text[:TEXT_LENGTH_MAX]).casefold()):
        yield found.group(), found.group(1) is not None


def bigrams(text: str) -> str:
    """The text as words with spaces between: Chinese in overlapping pairs, then each run's last character.

    The last character stands alone so that a question of one character, which is asked as a prefix, finds it there too.
    """
    words: list[str] = []
    for run, chinese in _runs(text):
        if chinese:
            words.extend(run[at : at + 2] for at in range(len(run)))  # the last slice is the last character
        else:
            words.append(run)
    return " ".join(words)


def query(text: str) -> str:
    """The question as `to_tsquery('simple', …)` reads it: all words must occur. Empty when there is nothing to ask.

    Words of other scripts, and a single Chinese character, are asked as prefixes; at most 32 words are asked.
    """
    asked: list[str] = []
    for run, chinese in _runs(text):
        if chinese and len(run) > 1:
            asked.extend(f"'{run[at : at + 2]}'" for at in range(len(run) - 1))
        else:
            asked.append(f"'{run}':*")
    return " & ".join(asked[:QUERY_TOKENS_MAX])
