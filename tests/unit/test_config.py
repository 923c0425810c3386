"""Settings: what is accepted, what is refused, and whether a person can mend it from the message alone."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from jumar.bootstrap.engine import build_engine
from jumar.config import Environment, Settings, load_outline, load_settings
from jumar.config.limits import LIMITS, Range
from jumar.decisions.file import FileDecisions
from jumar.decisions.folder import FolderDecisions
from jumar.model.countdown import NOT_PROBED
from jumar.model.errors import ConfigError
from jumar.model.order import WorkingType
from jumar.model.policy import OnFlat

ENVIRON = {"JUMAR_KEY": "k" * 16, "JUMAR_SECRET": "s" * 16}
ACCOUNT = """
[account]
name = "main"
environment = "custom"
rest_url = "http://127.0.0.1:1"
stream_url = "ws://127.0.0.1:1"
ws_api_url = "ws://127.0.0.1:1/ws-fapi/v1"
key_env = "JUMAR_KEY"
secret_env = "JUMAR_SECRET"
"""
REST = """
[store]
url = "sqlite:///jumar.db"
[decision]
path = "decision.json"
"""
LIMITS_TABLE = """
[limits]
max_notional_usdt = 1500
"""
SYMBOLS = """
[symbols.BTCUSDT]
"""
GOOD = ACCOUNT + REST + LIMITS_TABLE + SYMBOLS
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "jumar.toml"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "config.md"


def load(folder: Path, text: str) -> Settings:
    file = folder / "jumar.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, ENVIRON)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return str(caught.value)


def test_a_complete_file_becomes_settings(tmp_path: Path) -> None:
    """Addresses, keys, paths beside the file and default limits come out typed."""
    settings = load(tmp_path, GOOD)
    assert settings.account == "main"
    assert settings.environment is Environment.CUSTOM
    assert settings.addresses.ws_api_url == "ws://127.0.0.1:1/ws-fapi/v1"
    assert settings.keys.api_key == "k" * 16
    assert settings.store_url == f"sqlite:///{tmp_path / 'jumar.db'}"
    assert settings.decision_path == tmp_path / "decision.json"
    policy = settings.policies["BTCUSDT"]
    assert policy.max_notional_usdt == Decimal(1500)
    assert policy.min_stop_pct == Decimal("0.35")
    assert policy.on_flat is OnFlat.HOLD


@pytest.mark.rule("Q-1")
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me@h:5432/db", None),
        ("postgresql://me@/db?host=/run/postgresql", None),
        ("postgresql://me@h/db?password=hush", "holds a password"),
        ("postgresql://me:hush@h/db", "put it into a pgpass file or the variable PGPASSWORD"),
        ("postgresql://me@h", "names no database"),
        ("postgresql://me@h:hush/db", "cannot be read; write it like"),
    ],
)
def test_a_database_on_a_server(tmp_path: Path, url: str, said: str | None) -> None:
    """Taken as written, with the file's folder for what lies beside it; a password is refused and never repeated."""
    path = tmp_path / "jumar.toml"
    path.write_text(GOOD.replace("sqlite:///jumar.db", url))
    if said is None:
        outline = load_outline(path)
        assert (outline.store_url, outline.folder) == (url, tmp_path)
        return
    with pytest.raises(ConfigError) as caught:
        load_outline(path)
    assert "[store] url: " in str(caught.value) and said in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.rule("D-8")
def test_decisions_come_from_a_file_or_from_a_folder(tmp_path: Path) -> None:
    """What stands there decides: a folder that exists is watched as one."""
    (tmp_path / "inbox").mkdir()
    of_folder = GOOD.replace('"decision.json"', '"inbox"')
    settings = [load(tmp_path, text) for text in (GOOD, of_folder)]
    assert [each.decision_path.name for each in settings] == ["decision.json", "inbox"]
    kinds = [type(build_engine(each, ())._source) for each in settings]
    assert kinds == [FileDecisions, FolderDecisions]


@pytest.mark.rule("E-7")
def test_the_dead_mans_switch_takes_a_report_of_this_host(tmp_path: Path) -> None:
    """Named in the account section, beside the file; the engine is told what it proves."""
    proven = {"assumption": "V-6", "verdict": "confirmed"}
    report = {"schema": 1, "rest_url": "http://127.0.0.1:1", "assumptions": [proven]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    named = GOOD.replace('name = "main"', 'name = "main"\nprobe_report = "report.json"')
    assert build_engine(load(tmp_path, named), ())._no_dead_man is None
    assert build_engine(load(tmp_path, GOOD), ())._no_dead_man == NOT_PROBED


LEVELS = '[levels]\npath = "{}"\n'


@pytest.mark.rule("D-10")
def test_levels_are_watched_where_the_file_says(tmp_path: Path) -> None:
    """A path beside the configuration, a folder too; without the section nobody writes any."""
    assert load(tmp_path, GOOD).levels_path is None
    (tmp_path / "levels").mkdir()
    for name in ("levels.json", "levels"):
        assert load(tmp_path, GOOD + LEVELS.format(name)).levels_path == tmp_path / name


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    ("section", "says"),
    [
        (
            "[levels]\n",
            '[levels] path: missing: name the watched file or folder, like "levels.json"',
        ),
        ("[levels]\npath = 7\n", "[levels] path = 7"),
        (LEVELS.format("no/levels.json"), "does not exist; make it"),
        ("[levels]\nfile = 'x'\n", "[levels] file: unknown key; known here: path"),
    ],
)
def test_a_wrong_levels_section_is_refused(tmp_path: Path, section: str, says: str) -> None:
    """Named with the field and the fix."""
    assert says in refusal(tmp_path, GOOD + section)


@pytest.mark.rule("G-7")
def test_a_symbol_overrides_a_global_limit(tmp_path: Path) -> None:
    """A limit in a symbol's own section wins there and nowhere else."""
    own = "max_notional_usdt = 200\nmax_leverage = 2\n[symbols.ETHUSDT]\n"
    settings = load(tmp_path, GOOD + own)
    assert settings.policies["BTCUSDT"].max_notional_usdt == Decimal(200)
    assert settings.policies["BTCUSDT"].max_leverage == 2
    assert settings.policies["ETHUSDT"].max_notional_usdt == Decimal(1500)
    assert settings.policies["ETHUSDT"].max_leverage == 5


def test_limits_may_stand_at_the_top_of_the_file(tmp_path: Path) -> None:
    """A limit above the first section means the same as one in [limits]; in both places it is refused."""
    top = "max_notional_usdt = 900.5\ntargets.working_type = 'mark'\n"
    settings = load(tmp_path, top + ACCOUNT + REST + SYMBOLS)
    assert settings.policies["BTCUSDT"].max_notional_usdt == Decimal("900.5")
    assert settings.policies["BTCUSDT"].target_working_type is WorkingType.MARK_PRICE
    assert "keep one" in refusal(tmp_path, top + GOOD)


def test_a_number_never_passes_a_binary_float(tmp_path: Path) -> None:
    """A limit has exactly the digits of the file."""
    settings = load(tmp_path, GOOD + "max_spread_pct = 0.012345678901234567890\n")
    assert str(settings.policies["BTCUSDT"].max_spread_pct) == "0.012345678901234567890"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("rest_url", "rest_ulr"), "[account] rest_ulr: unknown key; did you mean rest_url?"),
        (GOOD + "max_leverag = 3\n", "[symbols.BTCUSDT] max_leverag: unknown key; did you mean max_leverage?"),
        ("storre = 1\n" + GOOD, "storre: unknown key; did you mean store?"),
        (GOOD.replace("[decision]", "[decisions]"), "decisions: unknown key; did you mean decision?"),
        (GOOD.replace('path = "d', 'zzzzqqq = 1\npath = "d'), "zzzzqqq: unknown key; known here: path"),
        (GOOD.replace("[decision]", "key_env = 'A'\n[decision]"), "[store] key_env: unknown key; it belongs in [account]"),
        (GOOD.replace("[store]", "min_rr = 3\n[store]"), "[account] min_rr: unknown key; it belongs in [limits]"),
        (GOOD + "targets.working = 'last'\n", "did you mean targets.working_type?"),
    ],
)  # fmt: skip
def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path, text: str, said: str) -> None:
    """A mistyped key is an error that says what was probably meant."""
    assert said in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("max_leverage = '5'", '[symbols.BTCUSDT] max_leverage = "5": wrong type; it must be a whole number'),
        ("max_leverage = 5.0", "max_leverage = 5.0: wrong type; it must be a whole number"),
        ("max_leverage = true", "max_leverage = true: wrong type; it must be a whole number"),
        ("min_rr = '2.5'", 'min_rr = "2.5": wrong type; it must be a number'),
        ("min_rr = [2]", "min_rr = [2]: wrong type; it must be a number"),
        ("on_flat = 1", 'on_flat = 1: must be "hold", "tighten" or "close"'),
        ("on_flat = 'keep'", 'on_flat = "keep": must be "hold", "tighten" or "close"'),
    ],
)  # fmt: skip
def test_a_wrong_type_says_what_is_right(tmp_path: Path, line: str, said: str) -> None:
    """Text is never taken for a number, nor a number for a word."""
    assert said in refusal(tmp_path, GOOD + line + "\n")


@pytest.mark.rule("G-3", "E-1", "O-1")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("min_stop_pct = 0.34", "min_stop_pct = 0.34: outside the allowed range: 0.35 to 20; default 0.35"),
        ("min_rr = 1.99", "min_rr = 1.99: outside the allowed range: 2.0 to 20; default 2.0"),
        ("max_notional_usdt = 0", "max_notional_usdt = 0: outside the allowed range: above 0"),
        ("max_spread_pct = nan", "max_spread_pct = NaN: outside the allowed range"),
        ("min_rr = inf", "min_rr = Infinity: outside the allowed range"),
        ("max_leverage = 126", "max_leverage = 126: outside the allowed range: 1 to 50; default 5"),
    ],
)  # fmt: skip
def test_a_value_outside_its_range_names_the_range(tmp_path: Path, line: str, said: str) -> None:
    """The floors can only be set stricter, and every other limit stays in its stated range."""
    assert said in refusal(tmp_path, GOOD + line + "\n")


@pytest.mark.rule("O-1")
@pytest.mark.parametrize(("value", "fine"), [("0.5", True), ("3", True), ("0.49", False), ("3.1", False)])  # fmt: skip
def test_the_loop_interval_has_both_ends(tmp_path: Path, value: str, fine: bool) -> None:
    """The loop runs every 0.5 to 3 s, both ends included."""
    text = GOOD.replace("[symbols", f"loop_interval_s = {value}\n[symbols")
    if fine:
        assert load(tmp_path, text).policies["BTCUSDT"].loop_interval_s == Decimal(value)
    else:
        assert "0.5 to 3" in refusal(tmp_path, text)


def test_an_account_wide_limit_is_refused_for_one_symbol(tmp_path: Path) -> None:
    """The receive window belongs to the whole engine."""
    message = refusal(tmp_path, GOOD + "recv_window_ms = 5000\n")
    assert "[symbols.BTCUSDT] recv_window_ms: one value for the whole engine" in message


def test_limits_that_contradict_one_another_are_refused(tmp_path: Path) -> None:
    """A deadline shorter than the time-out it contains cannot be kept."""
    message = refusal(tmp_path, GOOD + "protect_deadline_s = 1\nprotect_timeout_ms = 1000\n")
    assert "protect_deadline_s = 1: must be longer than protect_timeout_ms (1000 ms)" in message


@pytest.mark.rule("G-7")
def test_the_largest_notional_must_be_set(tmp_path: Path) -> None:
    """There is no default for how much money may be at work."""
    message = refusal(tmp_path, ACCOUNT + REST + SYMBOLS)
    assert "[symbols.BTCUSDT] max_notional_usdt: missing" in message
    assert "Policy" not in message


PLAIN = "\n".join(line for line in GOOD.splitlines() if "_url" not in line)
LIVE = PLAIN.replace('"custom"', '"live"')


def confirmed(written: str) -> str:
    """A configuration for real money with this confirmation."""
    return LIVE.replace("[account]", f"[account]\nlive_confirmed = {written}")


def test_live_is_confirmed_with_the_name_of_the_account(tmp_path: Path) -> None:
    """Real money takes two deliberate words; then the addresses are Binance's own."""
    settings = load(tmp_path, confirmed('"main"'))
    assert settings.environment is Environment.LIVE
    assert settings.addresses.rest_url == "https://fapi.binance.com"
    assert settings.addresses.stream_url == "wss://fstream.binance.com"
    assert settings.addresses.ws_api_url == "wss://ws-fapi.binance.com/ws-fapi/v1"


def test_live_without_its_confirmation_is_refused_with_the_line_to_write(tmp_path: Path) -> None:
    """The message names the field and holds the line that would pass."""
    message = refusal(tmp_path, LIVE)
    assert "[account] live_confirmed: missing" in message
    assert 'live_confirmed = "main"' in message


@pytest.mark.parametrize("written", ['"Main"', '"main "', '"mai"', '""', "true", "1"])
def test_a_confirmation_is_the_name_letter_by_letter(tmp_path: Path, written: str) -> None:
    """What is nearly the name confirms nothing."""
    message = refusal(tmp_path, confirmed(written))
    assert f"[account] live_confirmed = {written}" in message
    assert 'write live_confirmed = "main"' in message


@pytest.mark.parametrize("environment", ["demo", "custom"])
def test_a_confirmation_does_not_lie_about(tmp_path: Path, environment: str) -> None:
    """Elsewhere it is refused: else one word would be enough to reach real money."""
    text = GOOD if environment == "custom" else PLAIN.replace('"custom"', '"demo"')
    text = text.replace("[account]", '[account]\nlive_confirmed = "main"')
    message = refusal(tmp_path, text)
    assert f'confirms real money, but environment = "{environment}"; remove it' in message


def test_live_has_its_own_addresses(tmp_path: Path) -> None:
    """Under live no address may be given: the keys of real money go nowhere else."""
    text = GOOD.replace('"custom"', '"live"').replace("[store]", 'live_confirmed = "main"\n[store]')
    assert refusal(tmp_path, text).count("the live venue has its own address") == 3


@pytest.mark.parametrize(
    "address",
    ["https://fapi.binance.com", "https://FAPI1.binance.com/", "https://binance.com"],
)
def test_real_money_cannot_be_reached_under_another_name(tmp_path: Path, address: str) -> None:
    """An address of the production venue is refused under every environment but live."""
    message = refusal(tmp_path, GOOD.replace("http://127.0.0.1:1", address))
    assert 'belongs to the production venue, which only environment = "live" reaches' in message


def test_the_demo_exchange_has_its_own_addresses(tmp_path: Path) -> None:
    """The demo environment needs no address and refuses one."""
    plain = "\n".join(line for line in GOOD.splitlines() if "_url" not in line)
    settings = load(tmp_path, plain.replace('"custom"', '"demo"'))
    assert settings.addresses.rest_url == "https://demo-fapi.binance.com"
    message = refusal(tmp_path, GOOD.replace('"custom"', '"demo"'))
    assert message.count("has its own address") == 3


@pytest.mark.parametrize(
    "value", ["127.0.0.1:1", "ftp://x", "http://", "http://h:99999", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    """An address states its scheme and a host."""
    assert "must be an address" in refusal(tmp_path, GOOD.replace("http://127.0.0.1:1", value))


@pytest.mark.rule("W-7")
def test_a_secret_in_the_configuration_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """Keys stand in the environment or in a key file; a message never shows one."""
    message = refusal(tmp_path, GOOD.replace("key_env =", "api_secret = 'hush'\nkey_env ="))
    assert "a secret never stands in the configuration" in message
    assert "hush" not in message
    message = refusal(tmp_path, GOOD.replace('"JUMAR_SECRET"', '"aB3xyzhush"'))
    assert "is not set" in message
    assert "hush" not in message


@pytest.mark.rule("W-7")
def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    """The message names the variable that must be exported."""
    message = refusal(tmp_path, GOOD.replace('"JUMAR_SECRET"', '"JUMAR_OTHER"'))
    assert '[account] secret_env: the environment variable "JUMAR_OTHER" is not set' in message


def with_key_file(folder: Path, mode: int, content: str) -> str:
    file = folder / "keys.toml"
    file.write_text(content, encoding="utf-8")
    file.chmod(mode)
    lines = [line for line in GOOD.splitlines() if not line.startswith(("key_env", "secret_env"))]
    return "\n".join(lines).replace("[account]", '[account]\nkey_file = "keys.toml"')


@pytest.mark.rule("W-7")
def test_a_key_file_must_be_private(tmp_path: Path) -> None:
    """A key file of mode 0600 is read; one that others can read is refused with the command that mends it."""
    content = 'api_key = "k1"\napi_secret = "hush"\n'
    settings = load(tmp_path, with_key_file(tmp_path, 0o600, content))
    assert (settings.keys.api_key, settings.keys.api_secret) == ("k1", "hush")
    assert "hush" not in repr(settings)
    message = refusal(tmp_path, with_key_file(tmp_path, 0o644, content))
    assert "chmod 600" in message
    assert "hush" not in message


@pytest.mark.rule("W-7")
def test_a_broken_key_file_is_not_repeated(tmp_path: Path) -> None:
    """Neither a parse error nor a missing line shows what the file holds."""
    message = refusal(tmp_path, with_key_file(tmp_path, 0o600, "hush hush"))
    assert "must hold two lines" in message
    assert "hush" not in message
    message = refusal(tmp_path, with_key_file(tmp_path, 0o600, 'api_secret = "hush"'))
    assert "lacks api_key" in message
    assert "hush" not in message


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    """A person mends the file once."""
    text = GOOD.replace('name = "main"', 'nmae = "main"').replace("1500", "'much'")
    message = refusal(tmp_path, text + "min_rr = 1\n")
    assert "4 problems" in message
    for said in (
        "did you mean name?",
        "[account] name: missing",
        "min_rr = 1",
        'max_notional_usdt = "much"',
    ):
        assert said in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[account\n", "is not valid TOML"),
        (GOOD.replace('"decision.json"', '"nowhere/decision.json"'), "does not exist; make it"),
        (GOOD.replace('"decision.json"', '"inbox/"'), "does not exist; make it"),
        (GOOD.replace("sqlite:///jumar.db", "postgresql://me:hush@h/db"), "[store] url: holds a password"),
        (GOOD.replace("[symbols.BTCUSDT]", "[symbols.btcusdt]"), "use capitals, like [symbols.BTCUSDT]"),
        (ACCOUNT + REST + LIMITS_TABLE, "add a section like [symbols.BTCUSDT]"),
        ("account = 3\n" + REST + LIMITS_TABLE + SYMBOLS, "[account]: must be a table"),
        ("", "[account] name: missing"),
    ],
)  # fmt: skip
def test_other_mistakes_name_the_fix(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake has a message of its own."""
    message = refusal(tmp_path, text)
    assert said in message
    assert "hush" not in message


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    """A wrong path is a message, not a traceback."""
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load_settings(tmp_path / "none.toml", {})


def test_every_limit_allows_its_own_default() -> None:
    """A default that the range refuses would make a limit unusable."""
    for limit in LIMITS:
        if isinstance(limit.allowed, Range) and limit.default_text != "(none)":
            assert Decimal(limit.default_text) in limit.allowed, limit.key


def test_the_example_is_a_valid_configuration(tmp_path: Path) -> None:
    """The checked-in example loads as it stands."""
    settings = load(tmp_path, EXAMPLE.read_text(encoding="utf-8"))
    assert settings.policies


def test_the_reference_shows_every_limit() -> None:
    """docs/reference/config.md holds the table of limits as the code has it."""
    rows = [f"| `{x.key}` | {x.default_text} | {x.allowed_text} | {x.meaning} |" for x in LIMITS]
    expected = "\n".join(rows)
    assert expected in REFERENCE.read_text(encoding="utf-8"), f"the table should read:\n{expected}"
