"""The documents keep their shape: decisions are indexed and whole, links lead somewhere, commands exist.

Method: each check takes text and returns what is wrong with it; every check is shown a planted fault as well.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "adr"
INDEX = DECISIONS / "README.md"
HEADINGS = ["Context", "Decision", "Considered", "Consequences"]
STATUS = r"Status: (accepted|superseded by \[\d{4}\]\(\d{4}-[a-z0-9-]+\.md\)) · \d{4}-\d\d-\d\d"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def _decisions() -> list[Path]:
    return sorted(DECISIONS.glob("[0-9]*.md"))


def _title(text: str) -> str:
    return text.partition("\n")[0]


def misshapen(text: str, number: str) -> list[str]:
    """What a decision record lacks."""
    wrong = []
    if not re.fullmatch(rf"# {number} [^\s].*", _title(text)):
        wrong.append(f"its title must be '# {number} …'")
    if not re.search(f"^{STATUS}$", text, re.MULTILINE):
        wrong.append("say 'Status: accepted · YYYY-MM-DD' below the title")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    if parts[1::2] != HEADINGS:
        wrong.append(f"its headings must be {', '.join(HEADINGS)}")
    return wrong + [f"{name} is empty" for name, body in _pairs(parts) if not body.strip()]


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(parts[1::2], parts[2::2], strict=True))


def unordered(text: str) -> list[str]:
    """Versions of the changelog that do not begin with safety, or know other sections."""
    known = ["Safety", "Features", "Internals"]
    wrong = []
    for name, body in _pairs(re.split(r"^## (.+)$", text, flags=re.MULTILINE)):
        sections = re.findall(r"^### (.+)$", body, re.MULTILINE)
        if sections[:1] != known[:1] or sections != [each for each in known if each in sections]:
            wrong.append(f"{name}: sections are {known}, in this order, the first always there")
    return wrong


def dead(text: str, place: Path) -> list[str]:
    """Links inside the repository that lead nowhere."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose)
    return [
        f"{link} leads nowhere"
        for link in links
        if "://" not in link and not (place.parent / link).exists()
    ]


def unknown_paths(text: str) -> list[str]:
    """Files of the repository that are named in code letters and do not exist."""
    named = re.findall(r"(?<![\w/.])((?:src|tests|docs)/[\w./-]+)", text)
    return [f"{name} does not exist" for name in named if not (ROOT / name.rstrip("./")).exists()]


def unknown_targets(text: str) -> list[str]:
    """Targets of make that are named and not defined."""
    defined = re.findall(
        r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = re.findall(r"^(?:\w+=\S+ )?make ([a-z-]+)|`make ([a-z-]+)", text, re.MULTILINE)
    return [
        f"make {target} is not defined"
        for target in {first or second for first, second in named}
        if target not in defined
    ]


@cache
def _tests() -> frozenset[str]:
    """The names of all test files and functions."""
    sources = list(ROOT.glob("tests/**/test_*.py"))
    texts = (path.read_text(encoding="utf-8") for path in sources)
    functions = {name for text in texts for name in re.findall(r"def (test_\w+)", text)}
    return frozenset(functions | {path.stem for path in sources})


def unknown_tests(text: str) -> list[str]:
    """Tests, or files of them, that are named in code letters and do not exist."""
    named = set(re.findall(r"`(test_\w+)`", text))
    return [f"{name} is no test" for name in sorted(named - _tests())]


@pytest.mark.parametrize("path", _decisions(), ids=lambda path: path.stem)
def test_each_decision_is_whole(path: Path) -> None:
    """A decision has number, status, date and the four headings, each with something to say."""
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", path.stem)
    assert not misshapen(path.read_text(encoding="utf-8"), path.stem[:4])


def test_the_decisions_are_numbered_without_gap() -> None:
    """The next number is the next one, and there are some."""
    numbers = [int(path.stem[:4]) for path in _decisions()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 10


def test_the_index_names_each_decision_by_its_title() -> None:
    """The index has one row per decision, in order, with the title and status that stand in it."""
    wanted = []
    for path in _decisions():
        text = path.read_text(encoding="utf-8")
        number, title = _title(text).removeprefix("# ").split(" ", 1)
        told = re.search(r"^Status: (.+) · (\S+)$", text, re.MULTILINE)
        assert told is not None
        wanted.append(f"| [{number}]({path.name}) | {title} | {told[1]} | {told[2]} |")
    rows = [
        line for line in INDEX.read_text(encoding="utf-8").splitlines() if line.startswith("| [")
    ]
    assert rows == wanted


def test_the_changelog_begins_with_safety() -> None:
    """Every version tells first what concerns safety."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search("^## Unreleased$", text, re.MULTILINE)
    assert not unordered(text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """A reader who follows a link inside the repository finds a file."""
    assert not dead(path.read_text(encoding="utf-8"), path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_are_named_exist(path: Path) -> None:
    """A claim that names its test can be looked up."""
    assert not unknown_tests(path.read_text(encoding="utf-8"))


def test_what_contributors_are_told_exists() -> None:
    """Files and targets of make that CONTRIBUTING and README name are there."""
    for name in ("CONTRIBUTING.md", "README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not unknown_paths(text)
        assert not unknown_targets(text)


_WHOLE = (
    "# 0001 T\n\nStatus: accepted · 2026-11-22\n\n"
    "## Context\n\na\n\n## Decision\n\nb\n\n## Considered\n\nc\n\n## Consequences\n\nd\n"
)
_LOG = "# Changelog\n\n## Unreleased\n\n### Safety\n\n- a\n\n### Internals\n\n- b\n"
PLANTED: tuple[tuple[Callable[[str], list[str]], str, str], ...] = (
    (lambda text: misshapen(text, "0001"), _WHOLE, _WHOLE.replace("0001", "0002")),
    (lambda text: misshapen(text, "0001"), _WHOLE, _WHOLE.replace("accepted", "wished")),
    (lambda text: misshapen(text, "0001"), _WHOLE, _WHOLE.replace("## Considered\n\nc\n\n", "")),
    (lambda text: misshapen(text, "0001"), _WHOLE, _WHOLE.replace("\nd\n", "\n")),
    (unordered, _LOG, _LOG.replace("Safety", "Features")),
    (unordered, _LOG, _LOG + "\n### Features\n\n- c\n"),
    (unordered, _LOG, _LOG.replace("Internals", "Thanks")),
    (lambda text: dead(text, INDEX), "[a](README.md#x)", "[a](none.md)"),
    (unknown_paths, "`src/jumar/bootstrap/engine.py`", "`src/jumar/none.py`"),
    (unknown_targets, "`make test`", "`make tea`"),
    (unknown_tests, "`test_the_changelog_begins_with_safety`", "`test_nothing_at_all`"),
    (unknown_targets, "A=1 make check", "A=1 make tea"),
)


@pytest.mark.parametrize(("check", "good", "bad"), PLANTED)
def test_each_check_sees_a_planted_fault(
    check: Callable[[str], list[str]], good: str, bad: str
) -> None:
    """A check that notices nothing would let everything pass; an honest text passes."""
    assert check(good) == []
    assert check(bad)
