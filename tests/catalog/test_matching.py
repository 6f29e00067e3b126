from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from servers.catalog.matching import MARGIN, match
from servers.catalog.phrases import Amount, plain, read, stem
from servers.catalog.schemas import MatchResult
from servers.catalog.scoring import _alike
from servers.catalog.store.products import find_for_phrase, page_of_products
from servers.catalog.store.rules import find_goals, find_vocabulary

AMBIGUOUS, NONE = "ambiguous", "none"


def look(
    session: Session, phrase: str, quantity: int | None = None, day: date | None = None
) -> MatchResult:
    vocabulary = find_vocabulary(session)
    wanted = read(phrase, vocabulary, quantity)
    found = find_for_phrase(session, wanted)
    return match(wanted, found, vocabulary, day=day, goals=find_goals(session))


TABLE = """
8-port PoE switches => SW-P8-120
8-port PoE+ switch, 120 W => SW-P8-120
eight-port PoE switches for the gatehouses => SW-P8-120
16-port PoE+ switches => SW-P16-240
16 port switches => SW-P16-240
24-port PoE switch => SW-P24-370
24-port PoE switch, rack => SW-P24-370
SW-P24-350 => SW-P24-370
sw p8 120 => SW-P8-120
swp8120 => SW-P8-120
SW-P16 => SW-P16-240
SW-P8-120-M12 => SW-P8-120-M12
8-port switch => ambiguous
8-port unmanaged switch => SW-U8
8 port switch without PoE => SW-U8
PoE switches => ambiguous
20-port PoE switch => ambiguous
fibre switch with 8 SFP ports => SW-F8-SFP
8-port fibre switch => SW-F8-SFP
DIN-rail edge server 16 GB => SRV-D1-16
DIN-rail servers with 32 GB => SRV-D2-32
edge servers with 32 GB of memory => SRV-D2-32
1U rack servers => SRV-R1-64
2U rack edge server, GPU-ready => SRV-R2-128
rack server => ambiguous
GPU server => SRV-R2-128
edge servers => ambiguous
encrypting LTE routers => RT-E4-LTE
LTE router => RT-E4-LTE
VPN gateway => ambiguous
VPN gateway, 100 tunnels => VPN-G100
VPN gateway for 100 sites => ambiguous
VPN gateway 500 => VPN-G500
UPS => ambiguous
DIN rail UPS => UPS-D250
rack UPS 1500 VA => UPS-R1500
rack UPS => UPS-R1500
lithium battery packs 480 Wh => BAT-L480
lithium battery packs => BAT-L480
0.48 kWh lithium battery => BAT-L480
2 kWh battery => BAT-L2000
temperature sensors => SEN-T4
temperature and humidity sensors => SEN-T4
vibration sensors => SEN-V1
wireless temperature sensors => SEN-T4-W
sensors => ambiguous
dome cameras => CAM-D4
4 MP dome cameras, PoE => CAM-D4
thermal camera => CAM-T2
cameras => ambiguous
PoE cameras => ambiguous
patch cables 5 m => CBL-C6-05
5 m patch leads => CBL-C6-05
patch cables => ambiguous
10 m Cat6A patch cable => CBL-C6-10
10 m fibre patch cable LC => CBL-F-LC-10
Patchkabel 2 m => CBL-C6-02
7 m patch cables => ambiguous
power supply 24 V 240 W => PSU-D240-24
24V DIN supply, 120W => PSU-D120-24
PSU-R800 for SRV-R2-128 => PSU-R800
rail kit => MNT-RK1
rack rail kits 1U => MNT-RK1
2U rail kit => MNT-RK2
DIN clips => MNT-DIN
UK power cords => PWC-C13-UK
power cord => ambiguous
SFP modules LX => SFP-1G-LX
SFP modules => ambiguous
device management => ambiguous
device management pro => SUB-DM-PRO
Device management Standard, per device => SUB-DM-STD
analytics advanced => SUB-AN-ADV
Analytics Basic => SUB-AN-BAS
analytics => ambiguous
installation days => SVC-INST-D
installation hour => SVC-INST-H
installation => ambiguous
support 24/7 => SVC-SUP-24X7
support 8x5 => SVC-SUP-8X5
support contract => ambiguous
garden chairs => none
coffee machine for the office => none
Wärmebildkamera => CAM-T2
caméras thermiques => CAM-T2
DIN rail temperature sensor => ambiguous
12 x 8-port PoE switches => SW-P8-120
24 dome cameras => CAM-D4
PoE-Switches mit 8 Ports => SW-P8-120
commutateurs PoE 16 ports => SW-P16-240
conmutador PoE de 24 puertos => SW-P24-370
I sent 4 cameras => ambiguous
Schaltschrank IP66 => MNT-BOX-66
SUB-DM-PRO => SUB-DM-PRO
sub dm pro => SUB-DM-PRO
SW-P8-120 or SW-P16-240 => ambiguous
SW-P8-120 with 16 ports => ambiguous
at least 40 ports PoE => SW-P48-740
PoE switch with at least 20 ports => ambiguous
SFP+ modules 10G, LR => SFP-10G-LR
number plate camera => CAM-LPR
training day => SVC-TRAIN-D
IoT SIM 5 GB => SUB-SIM-5
video archive 30 days => SUB-VID-30
swich 16 port poe => SW-P16-240
temprature sensor => SEN-T4
UPS with supercapacitor => UPS-D250
pumps => none
8-port PoE+ switch, DIN rail => SW-P8-120
16-port PoE+ switch, DIN rail => SW-P16-240
16-Port PoE+ Switch, Hutschiene => SW-P16-240
Patchkabel Cat6A, 5 m => CBL-C6-05
server edge da rack 1U, 64 GB => SRV-R1-64
alimentatori 550 W per server rack => PSU-R550
alimentatore DIN 24 V 120 W => PSU-D120-24
cámaras domo 4 MP PoE => CAM-D4
switches PoE+ de 16 puertos para carril DIN => SW-P16-240
Hutschienen-Netzteil 24 V, 120 W => PSU-D120-24
24-Port PoE+ Switch, Rack => SW-P24-370
Netzkabel C13 auf Schuko, 2 m => PWC-C13-EU
Installationstage vor Ort durch Ihren Techniker => SVC-INST-D
Temperatur- und Feuchtesensor => SEN-T4
Hutschienen-USV 250 VA => UPS-D250
capteurs de température et d'humidité => SEN-T4
Device Management Pro => SUB-DM-PRO
2U GPU-ready server => SRV-R2-128
the 24-port PoE switches you sent us last year => SW-P24-370
caméras dôme 4 MP => CAM-D4
sensori di temperatura e umidità => SEN-T4
verschlüsselnde LTE-Router => RT-E4-LTE
VPN-Gateway 100 Tunnel => VPN-G100
licences Device Management Standard => SUB-DM-STD
Akkupack Lithium 480 Wh => BAT-L480
câble de brassage 10 m => CBL-C6-10
Glasfaserkabel LC 10 m => CBL-F-LC-10
Domekameras 4 MP => CAM-D4
Vibrationssensoren => SEN-V1
Schwingungssensoren => SEN-V1
rail kits for the 2U servers => MNT-RK2
1U rail kit for SRV-R1-64 => MNT-RK1
DIN rail edge servers (16 GB) with power supply => SRV-D1-16
thermal imaging cameras => CAM-T2
support around the clock => SVC-SUP-24X7
on-site installation, two days => SVC-INST-D
remote configuration => SVC-CONF-H
number of ports 16, PoE => SW-P16-240
PoE switch 16p => SW-P16-240
LTE routers with encryption => RT-E4-LTE
UPS for the rack, 1500VA => UPS-R1500
cat 6a patch cables, 2 metres, grey => CBL-C6-02
power cords UK plug => PWC-C13-UK
British power cords => PWC-C13-UK
8 port non-PoE switch => SW-U8
8-port PoE switch for trains, M12 => SW-P8-120-M12
sensor gateway => SEN-GW-L
panel PC 15 inch => SRV-P15
video recorder 16 channels => CAM-NVR16
switch with 10 ports => SW-M10-G
could you quote us 8-port PoE switches => SW-P8-120
we need 24-port PoE switches => SW-P24-370
can you send an offer for thermal cameras => CAM-T2
please offer dome cameras for the yard => CAM-D4
an offer for SW-P8-120 => SW-P8-120
Replacement battery set for UPS-R1500 => BAT-PB-R15
power supplies for SRV-R2-128 => ambiguous
drone => none
alimentatori 550 W per server rack (PSU-R550) => PSU-R550
4 server edge da rack 1U, 64 GB (SRV-R1-64) => SRV-R1-64
Schienensatz 1U => MNT-RK1
Schienensatz 1U (MNT-RK1) => MNT-RK1
installation days by your technician => SVC-INST-D
2x SRV-R2-128, the 2U GPU-ready one => SRV-R2-128
16-Port PoE+ Switch, Hutschiene, SW-P16-240 => SW-P16-240
Hutschienen-Edge-Server 16 GB => SRV-D1-16
Hutschienen-Netzteil 24 V / 120 W => PSU-D120-24
Netzteil 550 W für Rack-Server => PSU-R550
1U-Rack-Edge-Server 64 GB => SRV-R1-64
Analytics Advanced for 40 devices, for 12 months (SUB-AN-ADV) => SUB-AN-ADV
8 dome cameras, 4 MP, PoE => CAM-D4
Rack UPS, 1500 VA => UPS-R1500
Vibrationssensoren => SEN-V1
DIN-rail UPS 250 VA, supercapacitor => UPS-D250
24-port PoE+ switch, 370 W, rack => SW-P24-370
SW-P24-350 24-port switches => SW-P24-370
"""
CASES = [tuple(part.strip() for part in row.split("=>")) for row in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("phrase", "expected"), CASES)
def test_phrases(session: Session, phrase: str, expected: str) -> None:
    result = look(session, phrase)
    if expected == NONE:
        assert (result.resolved, result.candidates) == (None, [])
        assert [f.code for f in result.findings] == ["NO_MATCH"]
    elif expected == AMBIGUOUS:
        assert result.resolved is None
        assert result.candidates
        (found,) = result.findings
        assert found.code in ("AMBIGUOUS_MATCH", "NO_EXACT_MATCH")
        assert found.fix
    else:
        assert result.resolved == expected
        assert result.margin >= MARGIN


def test_the_finding_names_what_would_decide(session: Session) -> None:
    (found,) = look(session, "VPN gateways").findings
    assert found.fix.startswith("ask for ")
    assert "tunnels (" in found.fix
    (found,) = look(session, "power cords").findings
    assert found.fix == "ask for plug (CH or EU or UK or US)"


def test_a_number_nobody_has_is_said(session: Session) -> None:
    result = look(session, "20-port PoE switch")
    assert [f.code for f in result.findings] == ["NO_EXACT_MATCH"]
    assert all(c.score < 70 for c in result.candidates)


def test_the_reasons_speak_of_what_was_asked(session: Session) -> None:
    best = look(session, "8-port PoE switches").candidates[0]
    assert best.reasons == ["8 ports", "PoE", "'switch'"]


def test_the_end_of_life_offers_the_successor(session: Session) -> None:
    result = look(session, "SW-P24-350", day=date(2026, 11, 23))
    assert result.resolved == "SW-P24-370"
    assert [f.code for f in result.findings] == ["EOL_SUCCESSOR"]
    early = look(session, "SW-P24-350", day=date(2026, 5, 1))
    assert (early.resolved, early.findings) == ("SW-P24-350", [])


def test_the_end_of_life_without_a_successor(session: Session) -> None:
    result = look(session, "SFP-100M-FX", day=date(2030, 1, 1))
    assert result.resolved is None
    assert [f.code for f in result.findings] == ["EOL"]


def test_every_sku_is_found_however_it_is_written(session: Session, catalog: Any) -> None:
    for product in catalog.values():
        if product.lifecycle == "eol":
            continue
        for written in (product.sku, product.sku.lower(), product.sku.replace("-", " ")):
            assert look(session, written).resolved == product.sku, written


def test_every_product_is_found_by_its_own_name(session: Session, catalog: Any) -> None:
    for product in catalog.values():
        shown = [c.sku for c in look(session, product.name[:120]).candidates]
        assert product.lifecycle == "eol" or product.sku in shown, product.name


def test_the_quantity_says_nothing_about_the_product(session: Session) -> None:
    assert look(session, "VPN gateway 100", quantity=100).resolved is None
    assert look(session, "VPN gateway 100", quantity=3).resolved == "VPN-G100"


def test_a_phrase_that_contradicts_its_sku_is_left_open(session: Session) -> None:
    result = look(session, "SW-P8-120, the one with 16 ports")
    assert result.resolved is None
    assert result.candidates[0].sku == "SW-P8-120"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=120))
def test_no_text_breaks_the_search(session: Session, text: str) -> None:
    look(session, text)
    page_of_products(session, text, "", 5, None)


@pytest.mark.parametrize(
    "text", ['" OR 1=1 --', "NEAR(a b)", "sku:*", "a AND NOT b", "'; DROP TABLE product", "*", "^x"]
)
def test_operators_of_the_query_language_are_words(session: Session, text: str) -> None:
    look(session, text)
    page_of_products(session, text, "", 5, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.500 VA", "1500 VA"),
        ("1,5 kVA", "1500 VA"),
        ("0.480 kWh", "480 Wh"),
        ("2,000 tunnels", "2000 tunnels"),
        ("at least 20 ports", ">= 20 ports"),
        ("20 ports or more", ">= 20 ports"),
        ("mindestens 20 Ports", ">= 20 ports"),
        ("max. 5 m", "<= 5 m"),
        ("2 TB", "2000 GB"),
        ("8 SFP ports", "8 SFP ports"),
        ("1HE", "1 U"),
        ("4 megapixels", "4 MP"),
        ("30 days", "30 days"),
    ],
)
def test_numbers_with_units(session: Session, text: str, expected: str) -> None:
    wanted = read(f"thing {text}", find_vocabulary(session))
    assert [str(a) for a in wanted.amounts] == [expected]


def test_numbers_that_are_none(session: Session) -> None:
    words = "M12 cable, Cat6A, 5G router, 4K camera, RS-485"
    amounts: tuple[Amount, ...] = read(words, find_vocabulary(session)).amounts
    assert amounts == ()


@pytest.mark.parametrize(
    ("word", "other", "alike"),
    [
        ("swich", "switch", True),
        ("swithc", "switch", True),
        ("temprature", "temperature", True),
        ("vibartion", "vibration", True),
        ("cable", "table", False),
        ("lead", "load", False),
        ("stack", "strip", False),
        ("camera", "camel", False),
    ],
)
def test_slips(word: str, other: str, alike: bool) -> None:
    assert _alike(word, other) == alike


def test_plain_words() -> None:
    assert plain("Größere PoE-Switches (24/7)!") == "grossere poe switches 24 7"
    assert [stem(w) for w in ("switches", "batteries", "sensors", "ups", "chassis", "boxes")] == [
        "switch",
        "battery",
        "sensor",
        "ups",
        "chassis",
        "box",
    ]


def test_search_by_words_sku_and_family(session: Session) -> None:
    page = page_of_products(session, "sw-p16", "", 5, None)
    assert [item.sku for item in page.items[:2]] == ["SW-P16-240", "SW-P16-240-W"]
    page = page_of_products(session, "Wärmebildkamera", "", 5, None)
    assert page.items[0].family == "cameras"
    assert {i.family for i in page_of_products(session, "poe", "cameras", 50, None).items} == {
        "cameras"
    }
    assert page_of_products(session, "zzzz", "", 5, None).items == []


def test_pages_join_up(session: Session) -> None:
    whole = [i.sku for i in page_of_products(session, "cable", "", 100, None).items]
    cursor, parts = None, []
    while True:
        page = page_of_products(session, "cable", "", 7, cursor)
        parts += [item.sku for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert parts == whole
    assert page.total == len(whole)
