"""The themes: dark, light, with high contrast, and the terminal's own few colours."""

from __future__ import annotations

from textual.theme import Theme

# Greys are nearly neutral on purpose: a terminal of 256 colours has no dark blue-greys and would
# show pure blue instead.
DARK = Theme(
    name="pgconsole",
    primary="#7cb7ff",
    secondary="#9aa3b0",
    accent="#c4a7e7",
    foreground="#d9dde4",
    background="#121417",
    surface="#17191d",
    panel="#202328",
    success="#8fd19e",
    warning="#f0c674",
    error="#f28b82",
    variables={
        "header-brand": "#121417 on #7cb7ff",
        "protected": "#8c2f2a",
        "protected-text": "#ffffff",
        "muted": "#99a1ad",
        "faint": "#565c66",
        "footer-background": "#202328",
        "footer-key-foreground": "#7cb7ff",
        "border": "#7cb7ff",
        "border-blurred": "#3b4048",
    },
)

LIGHT = Theme(
    name="pgconsole-light",
    dark=False,
    primary="#0a58a8",
    secondary="#5a6472",
    accent="#6f42c1",
    foreground="#1f2328",
    background="#fbfbfa",
    surface="#f3f3f1",
    panel="#e6e7e8",
    success="#17672f",
    warning="#855300",
    error="#b3261e",
    variables={
        "header-brand": "#ffffff on #0a58a8",
        "protected": "#a8201a",
        "protected-text": "#ffffff",
        "muted": "#535c67",
        "faint": "#9aa1aa",
        "footer-background": "#e6e7e8",
        "footer-key-foreground": "#0a58a8",
        "border": "#0a58a8",
        "border-blurred": "#c4c8cd",
    },
)

CONTRAST = Theme(
    name="pgconsole-high-contrast",
    primary="#66d9ff",
    secondary="#e0e0e0",
    accent="#ff9cff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5fff87",
    warning="#ffd75f",
    error="#ff9c8f",
    variables={
        "header-brand": "#000000 on #66d9ff",
        "protected": "#8b0000",
        "protected-text": "#ffffff",
        "muted": "#d7d7d7",
        "faint": "#808080",
        "footer-background": "#1c1c1c",
        "footer-key-foreground": "#66d9ff",
        "border": "#66d9ff",
        "border-blurred": "#8a8a8a",
    },
)

# The terminal's own sixteen colours and background: what the operator can read elsewhere can be
# read here.
ANSI = Theme(
    name="pgconsole-ansi",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_cyan",
    accent="ansi_magenta",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    variables={
        "header-brand": "reverse",
        "protected": "ansi_red",
        "protected-text": "ansi_white",
        "muted": "ansi_default",
        "faint": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border": "ansi_cyan",
        "border-blurred": "ansi_bright_black",
        "footer-background": "ansi_default",
        "footer-key-foreground": "ansi_cyan",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-cursor-text-style": "reverse",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-selection-background": "ansi_bright_blue",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_bright_blue",
        "screen-selection-foreground": "ansi_black",
    },
)

# Which Textual does not know.
OWN_VARIABLES = ("header-brand", "muted", "faint", "protected", "protected-text")
THEMES = {"dark": DARK, "light": LIGHT, "high-contrast": CONTRAST, "ansi": ANSI}
