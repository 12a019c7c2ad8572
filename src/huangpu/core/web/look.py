"""A marketplace's colour, made safe to read on: pure arithmetic of sRGB (WCAG 2.2, relative luminance and contrast)."""

from __future__ import annotations

import re

PAPER, INK, NIGHT = "#ffffff", "#10202b", "#141f27"  # NIGHT: the lightest ground of the dark theme
READABLE = 4.5  # WCAG 2.2 AA for text


def luminance(colour: str) -> float:
    """The relative luminance of «#rrggbb», 0 to 1."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable_on(ground: str, colour: str) -> str:
    """The colour, moved in small steps towards black or white until it can be read on the ground as text."""
    towards = 0 if luminance(ground) > 0.18 else 255
    channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    for step in range(41):
        part = step / 40
        mixed = "#" + "".join(f"{round(one + (towards - one) * part):02x}" for one in channels)
        if contrast(ground, mixed) >= READABLE:
            return mixed
    return INK if towards == 0 else PAPER


def sheet(colour: str) -> str:
    """The small style sheet of a marketplace's colour; the colour is «#rrggbb» and nothing else is let through."""
    if not re.fullmatch(r"#[0-9a-f]{6}", colour):
        raise ValueError(colour)
    light, dark = readable_on(PAPER, colour), readable_on(NIGHT, colour)
    text = next(one for one in (PAPER, INK, "#000000") if contrast(colour, one) >= READABLE)  # white or black always is
    return (
        f":root{{--hp-market:{colour};--hp-market-text:{text};"
        f"--hp-market-ink:{light};--hp-market-ink:light-dark({light},{dark})}}\n"
    )
