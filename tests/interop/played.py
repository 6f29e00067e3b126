"""What the scripted model does in each example, and what must come of it."""

from dataclasses import dataclass

from .fake_openai import Script


@dataclass(frozen=True)
class Example:
    """A folder of examples/, what its scripted model does there, and what must come of it.

    Attributes:
        script: The calls of the scripted model, and its answer from their results.
        answer: What the granted results must have made of it.
        bound: The one call with an id of another customer: the tool and the argument.
        outside: The tool that was not granted; the example's own last call.
        ran: What must have run inside the server, in order.
        client: What the table of clients calls it.
        prefix: What the framework puts before the server's names.
    """

    name: str
    server: str
    http: bool
    model: str
    script: Script
    tools: set[str]
    answer: str
    bound: tuple[str, str, str]
    outside: str
    ran: tuple[str, ...]
    client: str
    prefix: str = ""


LOOP = Example(
    "anthropic_loop",
    "crm",
    http=False,
    model="anthropic",
    script=Script(
        (
            ("list_contacts", {"account_id": "acc_001"}),
            ("list_addresses", {"account_id": "acc_001"}),
            ("list_contacts", {"account_id": "acc_002"}),
            ("search_accounts", {"query": "Nordlicht"}),
        ),
        "{who} may sign; deliver to {where}.",
        {"who": r"name\W+([\w ]+)", "where": r"goods-in.*?(T12 \w+)"},
    ),
    tools={"list_addresses", "list_contacts"},
    answer="Niamh Alder may sign; deliver to T12 X0A3.",
    bound=("list_contacts", "account_id", "acc_002"),
    outside="search_accounts",
    ran=("list_contacts", "list_addresses"),
    client="anthropic SDK with ScopedToolset",
)
PYDANTIC = Example(
    "pydantic_ai",
    "crm",
    http=True,
    model="anthropic",
    script=Script(
        (
            ("get_opportunity", {"opportunity_id": "opp_001"}),
            ("quote_readiness", {"opportunity_id": "opp_001"}),
            ("get_opportunity", {"opportunity_id": "opp_002"}),
            ("update_stage", {"opportunity_id": "opp_001", "stage": "lost", "expected_version": 1}),
        ),
        "It belongs to {whom}; verdict: {verdict}.",
        {"whom": r"account_id\W+(\w+)", "verdict": r"verdict\W+(\w+)"},
    ),
    tools={"get_opportunity", "quote_readiness"},
    answer="It belongs to acc_001; verdict: quote.",
    bound=("get_opportunity", "opportunity_id", "opp_002"),
    outside="update_stage",
    ran=("get_opportunity", "quote_readiness"),
    client="Pydantic AI",
)
OPENAI = Example(
    "openai_agents",
    "finance",
    http=False,
    model="openai",
    script=Script(
        (
            (
                "check_credit",
                {"account_id": "acc_001", "amount_minor": 1_200_000, "currency": "EUR"},
            ),
            ("screen_party", {"account_id": "acc_001"}),
            ("check_credit", {"account_id": "acc_002", "amount_minor": 1, "currency": "EUR"}),
            ("get_quote", {"quote_id": "q_1"}),
        ),
        "Credit is {credit}; screening by {list}.",
        {"credit": r"verdict\W+(\w+)", "list": r"list_name\W+([\w ]+)"},
    ),
    tools={"check_credit", "screen_party"},
    answer="Credit is clear; screening by dealdesk demo screening list.",
    bound=("check_credit", "account_id", "acc_002"),
    outside="get_quote",
    ran=("check_credit", "screen_party"),
    client="OpenAI Agents SDK",
)
LANGGRAPH = Example(
    "langgraph",
    "crm",
    http=True,
    model="openai",
    script=Script(
        (
            ("get_account", {"account_id": "acc_001"}),
            ("quote_history", {"account_id": "acc_001"}),
            ("get_account", {"account_id": "acc_002"}),
            ("list_contacts", {"account_id": "acc_001"}),
        ),
        "It buys in {currency}; the latest quote was {outcome}.",
        {"currency": r"currency\W+(\w+)", "outcome": r"outcome\W+(\w+)"},
    ),
    tools={"get_account", "quote_history"},
    answer="It buys in EUR; the latest quote was rejected.",
    bound=("get_account", "account_id", "acc_002"),
    outside="list_contacts",
    ran=("get_account", "quote_history"),
    client="LangGraph",
)
FAST = Example(
    "fast_agent",
    "crm",
    http=True,
    model="openai",
    script=Script(
        (
            ("crm__list_activities", {"opportunity_id": "opp_001"}),
            (
                "crm__read_message",
                {"opportunity_id": "opp_001", "activity_id": "act_001_1"},
            ),
            ("crm__list_activities", {"opportunity_id": "opp_002"}),
            ("crm__log_activity", {"opportunity_id": "opp_001", "kind": "note", "text": "Sold!"}),
        ),
        "{who} wrote first, about: {subject}.",
        {"who": r"sender\W+([\w ]+)", "subject": r"subject\W+([\w ]+)"},
    ),
    tools={"list_activities", "read_message"},
    answer="Niamh Alder wrote first, about: Switches for the inspection cells.",
    bound=("list_activities", "opportunity_id", "opp_002"),
    outside="log_activity",
    ran=("list_activities", "read_message"),
    client="fast-agent",
    prefix="crm__",
)
ALL = (LOOP, PYDANTIC, OPENAI, LANGGRAPH, FAST)
