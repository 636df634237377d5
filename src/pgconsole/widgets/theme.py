"""Two themes: a calm dark one, and one for terminals with few colours or none."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="pgconsole",
    primary="#7cb7ff",
    secondary="#8fa3bf",
    accent="#c4a7e7",
    foreground="#d7dde8",
    background="#10141b",
    surface="#151a23",
    panel="#1d2430",
    success="#8fd19e",
    warning="#f0c674",
    error="#f28b82",
    variables={
        "header-brand": "#10141b on #7cb7ff",
        "muted": "#95a1b3",
        "faint": "#4a566a",
        "footer-background": "#1d2430",
        "footer-key-foreground": "#7cb7ff",
        "border": "#7cb7ff",
        "border-blurred": "#364154",
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
