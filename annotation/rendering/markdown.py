"""Markdown as models write it, to HTML that cannot do harm.

Tables, strikethrough, code and formulas are set; HTML in the text is text; links are shown with
their target and lead nowhere; pictures named in the text are named, never loaded.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from annotation.rendering.html import SafeHtml, sanitise
from annotation.rendering.maths import add_maths

# Beyond these the text is set plainly; the longest response known has 3,266 characters.
MAX_MARKDOWN = 60_000
MAX_MARKS = 6_000
MAX_HIGHLIGHTED = 20_000
LANGUAGES = frozenset(
    {
        "bash", "c", "console", "cpp", "csharp", "css", "diff", "go", "html", "ini", "java",
        "javascript", "js", "json", "kotlin", "latex", "lua", "make", "markdown", "matlab", "php",
        "powershell", "py", "python", "r", "ruby", "rust", "scala", "sh", "sql", "swift", "tex",
        "toml", "ts", "typescript", "xml", "yaml", "yml",
    }
)  # fmt: skip
_FORMATTER = HtmlFormatter(nowrap=True)


def to_html(source: str) -> SafeHtml:
    """Return a text as safe HTML blocks.

    Time grows about linearly with the length; a text too long, or with too many signs that mean
    something to Markdown, is set as plain paragraphs with all its words.
    """
    if len(source) > MAX_MARKDOWN or sum(map(source.count, "[]*_`<>~")) > MAX_MARKS:
        return plain_to_html(source)
    return sanitise(_PARSER.render(source))


def plain_to_html(source: str) -> SafeHtml:
    """Return a text as paragraphs and line breaks, with nothing interpreted."""
    paragraphs = (part.strip("\n") for part in source.replace("\r\n", "\n").split("\n\n"))
    return sanitise(
        "".join(
            f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in paragraphs if part.strip()
        )
    )


def to_paragraphs(source: str) -> list[str]:
    """Return a text's paragraphs as they are read: no marks, lists with their bullets.

    For comparing what two texts say; a row of a table, and a line of code, is a paragraph.
    """
    if len(source) > MAX_MARKDOWN or sum(map(source.count, "[]*_`<>~")) > MAX_MARKS:
        return [line for line in source.splitlines() if line.strip()]
    found: list[str] = []
    bullet = ""
    cells: list[str] | None = None
    for token in _PARSER.parse(source):
        match token.type:
            case "list_item_open":
                bullet = f"{token.info}. " if token.info else "• "
            case "tr_open":
                cells = []
            case "tr_close":
                found.append(" | ".join(cells or []))
                cells = None
            case "inline" if cells is not None:
                cells.append(_inline_text(token))
            case "inline":
                found.append(bullet + _inline_text(token))
                bullet = ""
            case _ if token.content:
                found += token.content.splitlines()
    return [paragraph for paragraph in found if paragraph.strip()]


def _inline_text(token: Token) -> str:
    """Return the words of a line; a link with its target, a picture with its address."""
    parts: list[str] = []
    target = ""
    for child in token.children or []:
        match child.type:
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "link_open":
                target = str(child.attrs.get("href", ""))
            case "link_close":
                parts.append(f" ({target})")
            case "image":
                parts.append(f"{child.content} ({child.attrs.get('src', '')})")
            case _:
                parts.append(child.content)
    return "".join(parts)


class _Renderer(RendererHTML):
    """The parts of the output that differ from the library's."""

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        language = token.info.strip().split(" ")[0].lower()
        return f'<pre class="code"><code>{_highlighted(token.content, language)}</code></pre>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f'<pre class="code"><code>{escape(tokens[idx].content)}</code></pre>\n'

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        words = self.renderInlineAsText(token.children or [], options, env)
        target = str(token.attrs.get("src", ""))
        return f'<span class="image-reference">{escape(words)} ({escape(target)})</span>'

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<span class="link-text">'

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        opening = _matching_link(tokens, idx)
        target = str(tokens[opening].attrs.get("href", ""))
        shown = "".join(token.content for token in tokens[opening + 1 : idx])
        if target in {shown, f"mailto:{shown}"}:
            return "</span>"
        return f'</span> <span class="link-target">({escape(target)})</span>'

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<{_heading(tokens[idx])}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"</{_heading(tokens[idx])}>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="table-scroll"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _cell(tokens[idx])

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _cell(tokens[idx])


def _matching_link(tokens: Sequence[Token], closing: int) -> int:
    depth = 0
    for index in range(closing, -1, -1):
        depth -= tokens[index].nesting if tokens[index].type in {"link_open", "link_close"} else 0
        if depth == 0:
            return index
    return closing


def _heading(token: Token) -> str:
    # The page itself uses the levels one to three.
    return {"h1": "h4", "h2": "h4", "h3": "h5"}.get(token.tag, "h6")


def _cell(token: Token) -> str:
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return (
        f'<{token.tag} class="align-{align}">' if align in {"center", "right"} else f"<{token.tag}>"
    )


def _highlighted(code: str, language: str) -> str:
    if language not in LANGUAGES or len(code) > MAX_HIGHLIGHTED:
        return escape(code)
    try:
        return str(highlight(code, get_lexer_by_name(language, stripnl=False), _FORMATTER))
    except ClassNotFound:
        return escape(code)


def _parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {"html": False, "breaks": True, "linkify": False, "typographer": False},
        renderer_cls=_Renderer,
    ).enable(["table", "strikethrough"])
    # An address in angle brackets looks like an image token; it stays text.
    parser.disable(["autolink", "html_block", "html_inline", "reference"])
    add_maths(parser)
    return parser


_PARSER = _parser()
