import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from dealdesk.settings import load_settings
from orchestrator.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, with none of the variables set."""
    for name in ("MODEL", "ORDER_DATE", "SERVERS", "CRM_URL", "ENGINE_URL"):
        monkeypatch.delenv(f"DEALDESK_{name}", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_defaults_are_files_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "desk")
    assert settings.server_url("crm") == f"sqlite:///{tmp_path}/desk/crm.db"
    assert settings.engine_url == f"sqlite:///{tmp_path}/desk/engine.db"
    assert settings.runs_url == f"sqlite:///{tmp_path}/desk/runs.db"
    assert (settings.model, settings.person, settings.order_date) == (None, None, None)
    assert settings.sources["home"] == "flag"
    assert settings.sources["crm_url"] == "default"


def test_without_anything_the_platform_names_the_folder() -> None:
    settings = load_settings()
    assert settings.home.name == "dealdesk"
    assert settings.sources["home"] == "default"


def test_a_flag_beats_a_variable_beats_this_folder_beats_the_data_folder(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "desk"
    home.mkdir()
    names = {"model": "in-home", "person": "per_home", "order_date": "2026-01-01"}
    (home / "dealdesk.toml").write_text("".join(f'{k} = "{v}"\n' for k, v in names.items()))
    (here / "dealdesk.toml").write_text('model = "in-here"\nperson = "per_here"\n')
    monkeypatch.setenv("DEALDESK_HOME", str(home))
    monkeypatch.setenv("DEALDESK_PERSON", "per_env")

    settings = load_settings(model=None)
    assert (settings.model, settings.person) == ("in-here", "per_env")
    assert settings.order_date == date(2026, 1, 1)
    assert settings.sources["home"] == "DEALDESK_HOME"
    assert settings.sources["person"] == "DEALDESK_PERSON"
    assert settings.sources["model"] == str(here / "dealdesk.toml")
    assert settings.sources["order_date"] == str(home / "dealdesk.toml")
    assert load_settings(model="by-flag").model == "by-flag"


def test_a_file_may_name_the_folder_and_its_paths_are_meant_from_the_file(here: Path) -> None:
    (here / "dealdesk.toml").write_text(
        'home = "desk"\ncrm_url = "shared/crm.db"\norder_date = 2026-11-23\n'
    )
    settings = load_settings()
    assert settings.home == here / "desk"
    assert settings.server_url("crm") == f"sqlite:///{here}/shared/crm.db"
    assert settings.order_date == date(2026, 11, 23)


def test_a_data_folder_one_stands_in_is_read_once(here: Path) -> None:
    (here / "dealdesk.toml").write_text('model = "playbook"\n')
    assert load_settings(home=here).model == "playbook"


def test_postgresql_is_reached_by_psycopg_and_holds_the_runs_too() -> None:
    settings = load_settings(engine_url="postgres://desk@db/runs", crm_url="/data/crm.db")
    assert settings.engine_url == settings.runs_url == "postgresql+psycopg://desk@db/runs"
    assert settings.server_url("crm") == "sqlite:////data/crm.db"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modell = 'x'", "sets unknown: modell"),
        ("model = 3", "model is not text"),
        ("model =", "cannot be read"),
        ("order_date = 'soon'", "'soon'.* is no date"),
        ("crm_url = 'mysql://x'", "'mysql' databases are not known"),
        ("servers = 'mcp.json'", "names programs to start"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(here: Path, text: str, said: str) -> None:
    (here / "dealdesk.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        load_settings()


def test_servers_elsewhere_are_named_by_a_flag_or_the_data_folder(tmp_path: Path) -> None:
    home = tmp_path / "desk"
    home.mkdir()
    (home / "dealdesk.toml").write_text('servers = "mcp.json"\n')
    assert load_settings(home=home).servers == home / "mcp.json"
    assert load_settings(home=home, servers="/else.json").servers == Path("/else.json")


def test_an_unknown_flag_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="no such setting: sales_url"):
        load_settings(sales_url="x")


def test_it_is_light() -> None:
    code = (
        "import sys, dealdesk.settings as s\n"
        "s.load_settings(home='/nowhere')\n"
        "heavy = {'fastmcp', 'mcp', 'sqlmodel', 'sqlalchemy', 'dbos', 'anthropic', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
