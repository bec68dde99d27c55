"""The only place where text becomes HTML that a template may print unescaped."""

from collections.abc import Iterable

import nh3
from pygments.token import STANDARD_TYPES


class SafeHtml(str):
    """HTML that has been through the sanitiser.

    `__html__` is the protocol by which template engines recognise it, so this package needs no
    framework to say that a string is safe.
    """

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text itself: it is already HTML."""
        return str(self)


FLOW_TAGS = frozenset(
    {"blockquote", "div", "li", "ol", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
TEXT_TAGS = frozenset(
    {"br", "code", "em", "h4", "h5", "h6", "hr", "p", "pre", "s", "span", "strong"}
)
MATH_TAGS = frozenset(
    {
        "math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot",
        "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext",
        "mtr", "munder", "munderover",
    }
)  # fmt: skip
MATH_ATTRIBUTES = {
    "math": {"display"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mo": {"fence", "form", "lspace", "maxsize", "minsize", "movablelimits", "rspace", "separator", "stretchy"},
    "mover": {"accent"},
    "mspace": {"width"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"columnalign", "columnlines", "rowlines"},
    "mtd": {"columnalign"},
    "munder": {"accentunder"},
}  # fmt: skip
# The short names that Pygments gives its tokens.
CODE_CLASSES = frozenset(STANDARD_TYPES.values()) - {""}
OWN_CLASSES = frozenset({"image-reference", "link-target", "link-text", "raw-math"})

_CLEANER = nh3.Cleaner(
    tags=set(FLOW_TAGS | TEXT_TAGS | MATH_TAGS),
    attributes={"ol": {"start"}, **MATH_ATTRIBUTES},
    allowed_classes={
        "span": set(CODE_CLASSES | OWN_CLASSES),
        "div": {"table-scroll"},
        "pre": {"code"},
        "td": {"align-center", "align-right"},
        "th": {"align-center", "align-right"},
    },
    url_schemes=set(),
    link_rel=None,
    strip_comments=True,
)


def sanitise(markup: str) -> SafeHtml:
    """Return the markup with every tag, attribute and class dropped that is not on the list.

    No element on the list can load anything, link anywhere or run: there is no `a`, `img`,
    `style`, `svg` or form element, no `href`, `src` or `style` attribute.
    """
    return SafeHtml(_CLEANER.clean(markup))


def join(parts: Iterable[SafeHtml]) -> SafeHtml:
    """Return safe pieces as one."""
    return SafeHtml("".join(parts))
