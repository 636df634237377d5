"""Two themes: a calm dark one, and one for terminals with few colours or none."""

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
