"""Every address there is, asked as one annotator, and what came through that should not have.

The addresses are read from the URLconf itself. One that `ALLOWED` does not name is a failure: a
new address must say what an annotator gets there before it can be passed.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from itertools import product
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.canaries import World

OPEN, OWN, NEVER = "for everybody", "for whose it is", "never for an annotator"

ALLOWED: dict[str, str] = {
    "login": OPEN,
    "logout": OPEN,
    "admin:login": OPEN,
    "admin:logout": OPEN,
    "annotation:desk": OPEN,
    "annotation:my-work": OPEN,
    "annotation:content": OPEN,
    "annotation:screen": OPEN,
    "annotation:columns": OPEN,
    "annotation:pace": OPEN,
    "annotation:language": OPEN,
    "annotation:sign-in-link": NEVER,
    "annotation:next": OWN,
    "annotation:offered": OWN,
    "annotation:guideline": OWN,
    "annotation:guideline-change": OWN,
    "annotation:example": OWN,
    "annotation:example-image": OWN,
    "annotation:ask": OWN,
    "annotation:questions": NEVER,
    "annotation:question-answer": NEVER,
    "annotation:question-note": NEVER,
    "annotation:question-seen": OWN,
    "annotation:assignment": OWN,
    "annotation:assignment-draft": OWN,
    "annotation:assignment-prepare": OWN,
    "annotation:assignment-opened": OWN,
    "annotation:assignment-hold": OWN,
    "annotation:assignment-never": OWN,
    "annotation:assignment-report": OWN,
    "annotation:assignment-skip": OWN,
    "annotation:assignment-flag": OWN,
    "annotation:assignment-undo": OWN,
    "annotation:assignment-feedback": OWN,
    "annotation:image": OWN,
    "annotation:batches": NEVER,
    "annotation:batch": NEVER,
    "annotation:batch-state": NEVER,
    "annotation:batch-offer-again": NEVER,
    "annotation:batch-settle": NEVER,
    "annotation:batch-person": NEVER,
    "annotation:ratings-matrix": NEVER,
    "annotation:batch-item": NEVER,
    "annotation:annotator": NEVER,
    "annotation:annotator-pairs": NEVER,
    "annotation:disagreements": NEVER,
    "annotation:own-figures": OWN,
    "annotation:agreement": NEVER,
    "annotation:consensus": NEVER,
    "annotation:ranking": NEVER,
    "annotation:reviews": NEVER,
    "annotation:reviews-next": NEVER,
    "annotation:review": NEVER,
    "annotation:adjudication": NEVER,
    "annotation:adjudication-open": NEVER,
    "annotation:adjudication-gold": NEVER,
    "annotation:calibration": NEVER,
    "annotation:calibration-state": NEVER,
    "annotation:calibration-item": NEVER,
    "annotation:guideline-example": NEVER,
    "annotation:exports": NEVER,
    "annotation:export-file": NEVER,
    "annotation:api-pairs": NEVER,
    "annotation:api-ratings": NEVER,
    "annotation:api-agreement": NEVER,
    "annotation:api-reviews": NEVER,
    "annotation:api-progress": NEVER,
    "annotation:api-quality": NEVER,
    "annotation:api-exports": NEVER,
    "annotation:api-export": NEVER,
    "annotation:api-export-file": NEVER,
    "annotation:api-schema": OPEN,
    "annotation:api-image": NEVER,
    "annotation:api-unknown": NEVER,
}
"""Route -> who may have what it gives. The rest of the admin is never an annotator's."""

FLAGS = re.compile(r"\bgold\b|is_gold|repeat_of|known answer|canary", re.IGNORECASE)
"""Words that would say what an item is."""

SENT = {
    "reason": "other",
    "note": "a note",
    "text": "a text",
    "do": "save",
    "draft_version": "0",
    "submission_key": "a key",
    "language": "en",
    "step": "open",
    "outcome": "accept",
}
"""What is posted to every address: something for each of the forms there are."""

WAYS: tuple[dict[str, str], ...] = ({}, {"HX-Request": "true"}, {"Accept": "application/json"})


@dataclass(frozen=True)
class Route:
    """An address of the URLconf: its name with namespaces, its text, and its converters' names."""

    name: str
    text: str
    parameters: tuple[str, ...]


def routes() -> list[Route]:
    """Return every address, the admin's and the API's too."""
    return list(_routes(get_resolver(), "", ""))


def _routes(resolver: URLResolver, space: str, before: str) -> Iterator[Route]:
    for one in resolver.url_patterns:
        text = before + str(one.pattern)
        if isinstance(one, URLPattern):
            found = re.findall(r"<(?:\w+:)?(\w+)>", text)
            yield Route(f"{space}{one.name or text}", text, tuple(found))
        else:
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _routes(one, inner, text)


def addresses(world: World, *, own: bool = False) -> Iterator[tuple[Route, str]]:
    """Yield every address filled in, with what is the annotator's; `own`: with that alone."""
    for route in routes():
        for path, is_own in paths_of(route, world):
            if is_own or not own:
                yield route, path


def paths_of(route: Route, world: World) -> Iterator[tuple[str, bool]]:
    """Yield (address, whether all it names is the annotator's own)."""
    mine = [world.held.public_id, world.sent.public_id]
    choices: list[list[tuple[str, bool]]] = []
    for name in route.parameters:
        values = world.names.get(name)
        if name == "public_id":
            own = [(one, True) for one in mine]
            choices.append(own + [(one, False) for one in world.others.values()])
        elif values is not None:
            choices.append(
                [(one, place == 0 or name == "size") for place, one in enumerate(values)]
            )
        else:
            choices.append([("1", True)])
    for picked in product(*choices):
        text = re.sub(r"\(\?P<\w+>[^)]*\)|\(\?:[^)]*\)\??|[\^$?\\]|\.\*", "", route.text)
        for name, (value, _own) in zip(route.parameters, picked, strict=True):
            text = re.sub(rf"<(?:\w+:)?{name}>", value, text)
        yield "/" + text, all(own for _value, own in picked)


@dataclass(frozen=True)
class Found:
    """Something that came through, or an answer that should have been another."""

    route: str
    asked: str
    what: str


class Walker:
    """Asks as the world's annotator, signed in and with their key; undoes what an asking changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = Client(raise_request_exception=False)
        assert world.walker.user is not None
        self.client.force_login(world.walker.user)
        self.session = {name: one.value for name, one in self.client.cookies.items()}
        self.asked = 0

    def walk(self, only: Collection[str] = ()) -> list[Found]:
        """Ask everything, or the named routes; return what is wrong, nothing where all is well."""
        found = []
        for route in routes():
            if only and route.name not in only:
                continue
            admin = NEVER if route.name.startswith("admin:") else None
            allowed = ALLOWED.get(route.name, admin)
            if allowed is None:
                found.append(Found(route.name, route.text, "a new address must be walked"))
                continue
            for path, is_own in paths_of(route, self.world):
                found += self._ask(route, path, allowed=allowed, is_own=is_own)
        found += self._static()
        return found

    def _ask(self, route: Route, path: str, *, allowed: str, is_own: bool) -> Iterator[Found]:
        headers = WAYS if is_own and allowed != NEVER else WAYS[:1]
        if path.startswith("/api/"):
            headers = ({"Authorization": f"Bearer {self.world.key}"},)
        methods = ("get",) if path.startswith("/admin/") else ("get", "post")
        for method, way in product(methods, headers):
            answer = self._answer(method, path, way)
            asked = f"{method} {path} {way or ''}".strip()
            for what in self._leaks(answer, path):
                yield Found(route.name, asked, what)
            if (wrong := self._wrong_status(answer, allowed=allowed, is_own=is_own)) != "":
                yield Found(route.name, asked, wrong)

    def _answer(self, method: str, path: str, way: dict[str, str]) -> HttpResponse:
        self.asked += 1
        with transaction.atomic():
            data: Any = SENT if method == "post" else {"open": "1"}
            answer = getattr(self.client, method)(path, data, headers=way, follow=True)
            answer.body = answer.getvalue()  # a stream is read while the rows are there
            transaction.set_rollback(True)
        cookies, self.client.cookies = self.client.cookies, SimpleCookie(self.session)
        answer.cookies = cookies
        return answer

    def _leaks(self, answer: Any, path: str) -> Iterator[str]:
        """Yield what stands in the answer and must not: a planted word, or what an item is."""
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        moved = "\n".join(url for url, _status in answer.redirect_chain)
        told = "\n".join((answer.body.decode("latin-1"), headers, moved, str(answer.cookies)))
        asked = path.lower()
        for word, what in self.world.words.items():
            if word in told and word not in asked:
                yield f"holds {what}"
        documents = path == "/api/v1/schema/"  # which says what there is, of no item
        for sign in set() if documents else set(FLAGS.findall(told.replace(path, ""))):
            yield f"says {sign}"

    @staticmethod
    def _wrong_status(answer: Any, *, allowed: str, is_own: bool) -> str:
        status = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
        moved = answer.redirect_chain[0][0] if answer.redirect_chain else ""
        to_sign_in = moved.startswith(("/sign-in/", "/admin/login/"))
        if status >= 500:
            return f"broke: {status}"
        if allowed == NEVER and not (status in {401, 403, 404, 405} or to_sign_in):
            return f"is not refused: {status}"
        refused = status in {403, 404, 405} or moved == "/"  # back to the desk, saying why
        if allowed == OWN and not is_own and not refused:
            return f"gives another's: {status}"
        return ""

    def _static(self) -> Iterator[Found]:
        for finder in get_finders():
            for path, storage in finder.list([]):
                if path.startswith("annotation/"):
                    with storage.open(path) as file:
                        text = file.read().decode("latin-1")
                    for word, what in self.world.words.items():
                        if word in text:
                            yield Found("static", path, f"holds {what}")
