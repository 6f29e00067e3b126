"""Pages of a long text, put together for readers and judges."""

from typing import Any

from orchestrator.workflows.quote.verify import joined


def page(name: str, text: str, offset: int = 0, after: int | None = None) -> dict[str, Any]:
    return {"activity_id": name, "text": text, "offset": offset, "next_offset": after}


def test_pages_are_joined_in_order_and_sources_stay_apart() -> None:
    found = joined([page("act_1", "ab", 0, 2), page("act_2", "x"), page("act_1", "cd", 2)])
    assert [(one["activity_id"], one["text"]) for one in found] == [
        ("act_1", "abcd"),
        ("act_2", "x"),
    ]
    assert found[0]["next_offset"] is None


def test_a_page_twice_or_out_of_order_does_not_move_the_text() -> None:
    found = joined([page("act_1", "ab", 0, 2), page("act_1", "ab", 0, 2), page("act_1", "z", 9)])
    assert found[0]["text"] == "ab"
    assert found[0]["next_offset"] == 2, "the rest is still to be read"


def test_answers_without_pages_and_documents_are_taken_as_they_are() -> None:
    found = joined(
        [{"document_id": "doc_1", "text": "whole"}, {"activity_id": "act_1", "text": ""}]
    )
    assert [one["text"] for one in found] == ["whole", ""]
