"""Draws a captured terminal screen as a picture: SVG without anything from elsewhere.

Usage: terminal_svg.py SCREEN.ansi PICTURE.svg TITLE
"""

import io
import re
import sys

from rich.console import Console
from rich.text import Text
from rich._export_format import CONSOLE_SVG_FORMAT

# A picture fetches nothing: the reader's own monospaced font serves.
FONT_FACES = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)


def main(screen: str, picture: str, title: str) -> None:
    with open(screen, encoding="utf-8") as file:
        text = Text.from_ansi(file.read().rstrip("\n"))
    width = max(line.cell_len for line in text.split())
    console = Console(record=True, width=width, force_terminal=True, color_system="truecolor", file=io.StringIO())
    console.print(text, soft_wrap=True)
    drawing = console.export_svg(
        title=title,
        code_format=FONT_FACES.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code, ", ""),
        unique_id="gpulse",
    )
    if re.search(r"href|@import|@font-face|url\((?!#)", drawing):
        sys.exit(f"{picture} would fetch something")
    with open(picture, "w", encoding="utf-8") as file:
        file.write("\n".join(line.rstrip() for line in drawing.splitlines()) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
