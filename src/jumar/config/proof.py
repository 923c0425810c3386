"""What a probe has proven of the venue: the report that `jumar exchange probe` wrote is named in the account section.

Promises that only a confirmed answer of the very host that is configured counts; everything else is a reason in words.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jumar.config.account import SECTION, Addresses
from jumar.config.problems import Problems, named, shown
from jumar.model.countdown import NOT_PROBED

KEY = "probe_report"
_SCHEMA = 1
_ASSUMPTION = "V-6"


def read_no_dead_man(
    problems: Problems, table: Mapping[str, Any], addresses: Addresses, folder: Path
) -> str | None:
    """Return why the dead man's switch may not be used, None where the report proves that it leaves stops alone (V-6)."""
    if KEY not in table:
        return NOT_PROBED
    where = named(SECTION, KEY)
    name = problems.convert(where, table[KEY], str)
    report = None if name is None else _report(problems, f"{where} = {shown(name)}", folder / name)
    if report is None:
        return NOT_PROBED
    probed, wanted = (_host(url) for url in (report.get("rest_url"), addresses.rest_url))
    if probed != wanted:
        return f"the probe report is of {probed or 'no host'}, not of {wanted}"
    return _verdict(report)


def _report(problems: Problems, where: str, path: Path) -> dict[str, Any] | None:
    """The report, None where it is none; what is wrong is noted."""
    fix = "name a report that jumar exchange probe wrote"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.add(where, f"cannot be read: {error.strerror}; {fix}")
        return None
    except ValueError:
        problems.add(where, f"is not JSON; {fix}")
        return None
    if not isinstance(report, dict) or report.get("schema") != _SCHEMA:
        problems.add(where, f"is no report of this version; {fix}")
        return None
    return report


def _host(url: object) -> str:
    return urlsplit(url).netloc if isinstance(url, str) else ""


def _verdict(report: Mapping[str, Any]) -> str | None:
    rows = report.get("assumptions")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("assumption") == _ASSUMPTION:
            verdict = row.get("verdict")
            if verdict == "confirmed":
                return None
            return f"the probe report of {report.get('ended')} says of {_ASSUMPTION}: {verdict}"
    return f"the probe report does not answer {_ASSUMPTION}"
