"""Formulas: where they stand in Markdown, and LaTeX to MathML.

Recognised are `\\( \\)`, `\\[ \\]`, `$..$` and `$$..$$`. What cannot be converted is shown as it was written.
"""

import re
from collections.abc import Sequence
from html import escape

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

MAX_FORMULA = 2_000
_CLOSING = {"\\(": "\\)", "\\[": "\\]"}
_MONEY = re.compile(r"^[\d.,]+(?:\s|[kKmMbB]?\s*[)(–—-])")
_UNSAFE = re.compile("[\ue000\ue001]")


def add_maths(markdown: MarkdownIt) -> None:
    """This function will teach a parser the four ways of writing formulas."""
    dollarmath_plugin(markdown, allow_labels=False, allow_space=False, allow_digits=False)
    markdown.inline.ruler.before("escape", "bracket_maths", _inline_brackets)
    markdown.block.ruler.before(
        "fence",
        "bracket_maths_block",
        _block_brackets,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )
    for name in ("bracket_maths", "math_inline", "math_inline_double"):
        markdown.add_render_rule(name, _render_inline)
    for name in ("bracket_maths_block", "math_block"):
        markdown.add_render_rule(name, _render_block)


def formula_to_mathml(latex: str, *, block: bool, source: str) -> str:
    """Return MathML for a formula, or its escaped source where it has none.

    `source` is the formula with its delimiters. The result goes through the sanitiser like
    everything else.
    """
    formula = latex.strip()
    if _MONEY.match(formula) and source.startswith("$"):
        return escape(source)
    if _is_readable(formula):
        try:
            return convert(formula, display="block" if block else "inline")
        except Exception:  # noqa: S110  # the library raises whatever it stumbles over
            pass
    return f'<span class="raw-math">{escape(source)}</span>'


def _is_readable(formula: str) -> bool:
    """Tell whether the converter gets a whole formula; it would silently drop an open group's rest."""
    braces = formula.replace("\\{", "").replace("\\}", "")
    return (
        0 < len(formula) <= MAX_FORMULA
        and not _UNSAFE.search(formula)
        and braces.count("{") == braces.count("}")
    )


def _inline_brackets(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the parser's own signature
    opening = state.src[state.pos : state.pos + 2]
    if opening not in {"\\(", "\\["}:
        return False
    closing = _CLOSING[opening]
    end = state.src.find(closing, state.pos + 2, state.pos + 2 + MAX_FORMULA)
    if end < 0:
        return False
    if not silent:
        token = state.push("bracket_maths", "math", 0)
        token.content = state.src[state.pos + 2 : end]
        token.markup = opening
    state.pos = end + 2
    return True


def _block_brackets(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    if state.is_code_block(start):
        return False
    begin = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("\\[", begin):
        return False
    for line in range(start, end):
        stop = state.src.find("\\]", begin + 2, state.eMarks[line])
        if stop >= 0:
            break
        if state.eMarks[line] - begin > MAX_FORMULA:
            return False
    else:
        return False
    if state.src[stop + 2 : state.eMarks[line]].strip():
        return False
    if not silent:
        token = state.push("bracket_maths_block", "math", 0)
        token.block = True
        token.content = state.src[begin + 2 : stop]
        token.markup = "\\["
        token.map = [start, line + 1]
        state.line = line + 1
    return True


def _render_inline(
    renderer: RendererProtocol,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    token = tokens[index]
    closing = _CLOSING.get(token.markup, token.markup)
    return formula_to_mathml(
        token.content,
        block=token.markup in {"$$", "\\["},
        source=f"{token.markup}{token.content}{closing}",
    )


def _render_block(
    renderer: RendererProtocol,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    return f"<p>{_render_inline(renderer, tokens, index, options, env)}</p>\n"
