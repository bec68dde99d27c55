import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.rendering.html import FLOW_TAGS, MATH_TAGS, TEXT_TAGS, sanitise
from annotation.rendering.markdown import MAX_MARKDOWN, plain_to_html, to_html

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mi xlink:href='data:x,<script>alert(1)</script>'></math>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<style>*{background:url(//evil.example)}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    '[x](https://evil.example "onmouseover=alert(1)")',
    "[x](<https://evil.example/\"onclick=alert(1)>)",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![<img src=x onerror=alert(1)>](x)",
    "<javascript:alert(1)>",
    "<https://evil.example>",
    "[x]: https://evil.example\n\n[x]",
    "`<img src=x onerror=alert(1)>`",
    "```<img src=x onerror=alert(1)>\n<script>alert(1)</script>\n```",
    '```python" onclick="alert(1)\nx\n```',
    "```html\n<img src=x onerror=alert(1)>\n```",
    "# <img src=x onerror=alert(1)>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
    "$\\href{javascript:alert(1)}{x}$",
    "$<img src=x onerror=alert(1)>$",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "\\(\\unicode{x<script>}\\)",
    "\\[\\style{x:expression(alert(1))}{y}\\]",
    "$$\\color{red\" onclick=alert(1)}{x}$$",
    "$\\class{x onclick=alert(1)}{y}$",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u202e<script>alert(1)</script>",
    "<\u0000script>alert(1)</script>",
    "\ue0000\ue001<script>",
    "{{ request }}{% include 'x' %}",
]  # fmt: skip
TAG = re.compile(r"<(/?)([a-zA-Z][^\s>/]*)([^<>]*)>")
ATTRIBUTE = re.compile(r'\s([^\s=]+)="([^"]*)"')
HARMLESS = {
    "class", "columnalign", "columnlines", "display", "displaystyle", "fence", "form", "linethickness", "lspace",
    "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowlines", "rspace", "scriptlevel",
    "separator", "start", "stretchy", "width", "accent", "accentunder",
}  # fmt: skip


def assert_harmless(html: str) -> None:
    for tag in TAG.finditer(html):
        assert tag[2] in FLOW_TAGS | TEXT_TAGS | MATH_TAGS, html
        assert {name for name, _ in ATTRIBUTE.findall(tag[3])} <= HARMLESS, html
    assert "<" not in TAG.sub("", html)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_anything_but_text(payload):
    for text in (payload, f"- {payload}\n", f"> **{payload}**", f"a {payload} b"):
        assert_harmless(to_html(text))
        assert_harmless(plain_to_html(text))


@given(st.text(alphabet="<>/&\"'=[]()!`$\\{}*_~#|-\n ascriptonlmg:0", max_size=120))
def test_no_text_becomes_anything_but_text(text):
    assert_harmless(to_html(text))


def test_links_are_text_with_their_target():
    assert to_html("See [the museum](https://example.org/a) now") == (
        '<p>See <span class="link-text">the museum</span> '
        '<span class="link-target">(https://example.org/a)</span> now</p>\n'
    )


def test_a_link_that_names_its_own_target_says_it_once():
    assert to_html("[https://example.org](https://example.org)") == (
        '<p><span class="link-text">https://example.org</span></p>\n'
    )


def test_pictures_named_in_the_text_are_named_and_not_loaded():
    assert to_html("![a cat](https://example.org/cat.png)") == (
        '<p><span class="image-reference">a cat (https://example.org/cat.png)</span></p>\n'
    )


def test_html_and_comparison_signs_are_text():
    assert (
        to_html("x<sup>2</sup> < 3 </ref>")
        == "<p>x&lt;sup&gt;2&lt;/sup&gt; &lt; 3 &lt;/ref&gt;</p>\n"
    )


def test_tables_keep_their_alignment_without_inline_styles():
    html = to_html("| a | b |\n|:-:|--:|\n| ~~x~~ | 2 |")

    assert '<th class="align-center">a</th>' in html
    assert '<td class="align-right">2</td>' in html
    assert "<s>x</s>" in html
    assert "style" not in html


def test_code_is_highlighted_by_class_and_keeps_its_spaces():
    html = to_html("```python\ndef f():\n    return 1\n```")

    assert '<span class="k">def</span><span class="w"> </span><span class="nf">f</span>' in html
    assert "style" not in html


def test_headings_stay_below_those_of_the_page():
    assert (
        to_html("# One\n\n### Three\n\n##### Five")
        == "<h4>One</h4>\n<h5>Three</h5>\n<h6>Five</h6>\n"
    )


@pytest.mark.parametrize("text", [r"\(x^2\)", "$x^2$", r"so \(x^2\) is", "so $x^2$ is"])
def test_inline_formulas_become_mathml(text):
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in to_html(text)


@pytest.mark.parametrize(
    "text", ["\\[\n\\frac{a}{b}\n\\]", "$$\n\\frac{a}{b}\n$$", r"thus \[\frac{a}{b}\] holds"]
)
def test_display_formulas_become_block_mathml(text):
    html = to_html(text)

    assert '<math display="block">' in html
    assert "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>" in html


def test_a_formula_that_cannot_be_read_is_shown_as_written():
    assert to_html(r"\(\frac{a\)") == '<p><span class="raw-math">\\(\\frac{a\\)</span></p>\n'


@pytest.mark.parametrize(
    "text", ["It costs $5 and $10.", "between $5-$10", "$5 (US$) each", "US$ 3"]
)
def test_money_is_not_a_formula(text):
    assert to_html(text) == f"<p>{text}</p>\n"


def test_line_breaks_of_the_model_stay():
    assert to_html("one\ntwo") == "<p>one<br>\ntwo</p>\n"


def test_a_text_too_long_to_parse_keeps_all_its_words():
    html = to_html("**word** " * (MAX_MARKDOWN // 9 + 1))

    assert html.startswith("<p>**word** ")
    assert html.count("word") == MAX_MARKDOWN // 9 + 1


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 50_000,
        "*a " * 6_000,
        "> " * 20_000,
        "\n".join("  " * depth + "- a" for depth in range(1_500)),
        "|" + "a|" * 20_000 + "\n|" + "-|" * 20_000,
        "$x_1$ " * 5_000,
        "\\[" + "{" * 900 + "}" * 900 + "\\]",
        "\\(" * 25_000,
        "$" * 50_000,
        "[a](b) " * 900,
        "a**b" * 3_000,
        "1. a\n" * 12_000,
        "\\[\n" * 15_000,
        "```\n" * 1_900,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_text_does_not_hold_up_the_page(hostile):
    started = time.thread_time()

    to_html(hostile)

    assert time.thread_time() - started < 2.5


def test_the_sanitiser_alone_drops_what_is_not_on_its_list():
    assert sanitise(
        '<p class="x" style="a" onclick="b"><a href="//evil.example">c</a><img src="d"></p>'
    ) == ("<p>c</p>")
