"""Contrast of colours as WCAG 2.2 defines it, after everything see-through has been laid over its ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.services.notice.audit.measured import Colour, Control

_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two opaque colours, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def laid(layers: Sequence[Colour]) -> Colour:
    """Lay colours over each other, the innermost first, the last opaque."""
    red, green, blue, _ = layers[-1]
    for layer in reversed(layers[:-1]):
        share = layer[3]
        red, green, blue = (
            share * over + (1 - share) * under for over, under in zip(layer[:3], (red, green, blue), strict=True)
        )
    return red, green, blue, 1.0


def text_contrast(control: Control) -> float:
    """Return the contrast of a control's label with what lies behind it."""
    return contrast(laid([control.colour, *control.grounds]), laid(control.grounds))


def surface_contrast(control: Control) -> float:
    """Return the contrast of a control's surface with what surrounds the control."""
    return contrast(laid(control.grounds), laid(control.grounds[control.own :]))


def border_contrast(control: Control) -> float:
    """Return the contrast of a control's border with what surrounds the control; 1 where it has none."""
    around = control.grounds[control.own :]
    return contrast(laid([control.border_colour, *around]), laid(around)) if control.border else 1.0


def _luminance(colour: Colour) -> float:
    return sum(weight * _linear(value / 255) for weight, value in zip(_WEIGHTS, colour[:3], strict=True))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
