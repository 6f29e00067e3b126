"""Every word of a goal is taken up or asked about; nothing that says more than a deal is issued."""

import json
import shutil
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedModel

from dealdesk.desk import Desk
from dealdesk.evaluation import read_goal
from dealdesk.models import play_of
from dealdesk.settings import load_settings
from orchestrator.llm.base import Request, reply, text

from .conftest import ALDER, DAY, Command, Folder

TODAY = date(2026, 11, 23)
BEYOND = [
    ("Offer 3 VPN gateways to Alder & Finch", "3 VPN gateways"),
    ("Make an offer to Kestrel Foods for 20 temperature sensors", "20 temperature sensors"),
    ("Quote Kestrel Foods without the analytics subscription", "without the analytics"),
    ("Quote Alder & Finch for the switches they asked about, plus a router", "plus a router"),
    ("Quote Alder & Finch for twelve switches", "twelve"),
    ("Quote Alder & Finch for 12 switches", "12 switches"),
    ("Quote SW-P8-120 to Alder & Finch", "SW-P8-120"),
    ("Quote Alder & Finch for the switches, shipped to Lisbon", "Lisbon"),
    ("Quote Alder & Finch routers instead of the switches", "instead of"),
    ("Quote Alder & Finch for half the switches", "half"),
    ("Quote Alder & Finch for the switches but not the power supplies", "but not"),
    ("Quote Gulfline Trading: LTE routers for the tank farm, minus the antennas", "minus"),
    ("Quote Halden Rail for the bogie fleet sensors and a drone", "drone"),
    ("Quote Nordlicht for the PoE switches with installation in Munich", "Munich"),
    ("Angebot für Bergwald Holz, Rack-Server, ohne Wartung", "ohne Wartung"),
    ("Angebot für Bergwald Holz: fünf Rack-Server", "fünf Rack-Server"),
    ("Angebot für Nordlicht Automation, Edge-Server fürs Prüffeld, Lieferung nach Wien", "Wien"),
    ("Haz una cotización para Cantera Solar, cámaras de Monegros, sin soportes", "sin soportes"),
    ("Haz una cotización para Cantera Solar con treinta cámaras", "treinta cámaras"),
    ("Offerta per Ferriera Adriatica, tre server per il laminatoio", "tre server"),
    (
        "Devis pour Petit et Moreau, les capteurs de la ligne d'embouteillage, sauf les câbles",
        "sauf les câbles",
    ),
    (
        "Quote Mossgate Water for the telemetry servers with a five year warranty",
        "five year warranty",
    ),
    ("Quote opp_016 with free shipping", "free"),
    ("Please quote opp_003 with 12 percent off, in EUR, for 200 sensors", "200 sensors"),
    ("Quote Orison Data for the battery packs by road, only the black ones", "only the black"),
    (
        "Quote Sable Point Energy in USD for the Ingleside control room, another 4 servers on top",
        "another 4 servers",
    ),
    ("Quote Thornbury Pumps for twice the cameras", "twice"),
    ("Quote Brännholm Tegel for the kiln video archive on a monthly instalment plan", "instalment"),
    ("Quote Skovly Mejeri for the starter bundles at 45 EUR each", "45 EUR each"),
    (
        "Quote Kestrel for the cold store sensors with 2.5% off sensors and 4% off gateways",
        "4% off",
    ),
]
PLAIN = [
    ("Could you please put together an offer for Alder & Finch?", "opp_001"),
    ("Niamh from Alder & Finch asked us for the PoE switches last week", "opp_001"),
    ("quote MGW for the telemetry servers, due by 5 December, in GBP", "opp_004"),
    ("Price the GPU servers for Kestrel Foods with a discount of 3%", "opp_006"),
    ("Bitte ein Angebot für Nordlicht, Edge-Server fürs Prüffeld, 4 % Rabatt", "opp_023"),
    ("Quote Orison for the access switches in hall W3", "opp_013"),
    ("Prepara una oferta para Cantera Solar, las cámaras de Monegros", "opp_008"),
    ("Quote opp_012 shipped by road", "opp_012"),
    ("Quote Orison Data for the batteries, overland", "opp_012"),
    ("GPU server quote for Kestrel, shipping by road", "opp_006"),
    ("Quote Alder & Finch in pounds sterling, 3% off, for delivery on 4 December", "opp_001"),
    ("Quote Alder & Finch on the basis of Colm's call on Friday", "opp_001"),
    ("Quote Ferriera Adriatica for the rolling mill servers", "opp_005"),
    ("Work up a quote for Sable Point's control room upgrade", "opp_011"),
    ("Fai un'offerta per Ferriera Adriatica, server laminatoio 2, entro il 10 dicembre", "opp_005"),
]


@pytest.fixture
async def desk(seeded: Folder, tmp_path: Path) -> AsyncIterator[Desk]:
    home = shutil.copytree(seeded.home, tmp_path / "home")
    async with Desk.open(load_settings(home=str(home), model="playbook")) as opened:
        yield opened


async def test_words_beyond_the_deal_are_named_and_nothing_is_issued(desk: Desk) -> None:
    for goal, words in BEYOND:
        found = await read_goal(desk, goal, TODAY)
        asked = [word for one in found["questions"] for word in one["words"]]
        assert any(words in one for one in asked), (goal, asked)


@pytest.mark.parametrize("day", ["Friday", "mid-December", "next week", "Christmas"])
async def test_a_day_that_nothing_reads_is_named(desk: Desk, day: str) -> None:
    found = await read_goal(desk, f"Quote Alder & Finch, needed by {day}", TODAY)
    (asked,) = found["questions"]
    assert asked["kind"] == "unread_words"
    assert day.split()[0] in asked["words"][0]


async def test_a_goal_of_known_words_goes_on(desk: Desk) -> None:
    for goal, opportunity_id in PLAIN:
        found = await read_goal(desk, goal, TODAY)
        assert (found["questions"], found["opportunity_id"]) == ([], opportunity_id), goal


@pytest.mark.parametrize("quoted_before", [False, True])
def test_a_quote_that_is_there_is_no_answer(
    quoted: Folder, seeded: Folder, copy: Any, command: Command, quoted_before: bool
) -> None:
    home = copy(quoted if quoted_before else seeded)
    before = command("quote", "list", "--json", home=home).json
    said = command("run", "Offer 3 VPN gateways to Alder & Finch", *DAY)
    assert said.code == 6
    assert '"3 VPN gateways"' in said.out
    assert "Next: run the goal without those words" in said.out
    assert command("quote", "list", "--json").json == before


def altered(agent: str, change: Any) -> Any:
    """Play by the book, but let the master change its answer, as a careless model would."""

    def brain(request: Request) -> Any:
        answer = play_of(agent)(request)
        blocks = [dict(block.to_dict()) for block in answer.content]
        if agent != "plan" or blocks[-1]["type"] != "text":
            return answer
        return reply(text(json.dumps(change(json.loads(blocks[-1]["text"])))))

    return ScriptedModel(brain)


async def careless(seeded: Folder, tmp_path: Path, goal: str, change: Any) -> dict[str, Any]:
    home = shutil.copytree(seeded.home, tmp_path / "home")
    settings = load_settings(home=str(home), person="per_lena", order_date="2026-11-23")
    async with Desk.open(settings, models=lambda agent: altered(agent, change)) as desk:
        return await desk.wait(await desk.submit(goal))


@pytest.mark.parametrize(("goal", "words"), BEYOND[:3])
async def test_no_model_can_leave_words_out(
    seeded: Folder, tmp_path: Path, goal: str, words: str
) -> None:
    result = await careless(seeded, tmp_path, goal, lambda said: {**said, "questions": []})
    assert result["outcome"] == "failed"
    assert "nothing takes up these words of the goal" in result["message"]
    assert words in result["message"]


@pytest.mark.parametrize("wish", [{"discount_bp": 500}, {"currency": "USD"}, {"mode": "air"}])
async def test_no_model_can_invent_a_wish(
    seeded: Folder, tmp_path: Path, wish: dict[str, Any]
) -> None:
    result = await careless(seeded, tmp_path, ALDER, lambda said: {**said, "constraints": wish})
    assert result["outcome"] == "failed"
    assert "constraints must hold what the goal asks for" in result["message"]
