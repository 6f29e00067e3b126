"""`dealdesk`: the command, assembled from lazily imported groups.

`dealdesk --help` imports none of fastmcp, sqlmodel, dbos and anthropic; a test keeps it so.
"""

import os
import sys
from importlib.metadata import version

from cyclopts import App

from orchestrator.errors import DealdeskError

RUNNING = (["run"], ["runs"])


def build() -> App:
    """Return the command with all its groups."""
    app = App(
        name="dealdesk",
        version=version("dealdesk"),
        help="A deal desk over MCP: from a goal to a checked, priced, approved quote.",
        suppress_keyboard_interrupt=False,
    )
    here = "dealdesk.cli"
    app.command(f"{here}.run:run", name="run", help="Turn a goal into a quote.")
    runs = App(name="runs", help="List, show, resume, decide and answer runs.")
    for name, what in (
        ("list", "List runs, newest first."),
        ("show", "Show one run: its agents, findings and result."),
        ("watch", "Follow a run until it ends or waits."),
        ("resume", "Go on with a run that was interrupted."),
        ("approve", "Approve what a run waits for, as a named person."),
        ("reject", "Reject what a run waits for, as a named person."),
        ("answer", "Answer a run's questions and go on from there."),
        ("cancel", "Cancel a run."),
    ):
        runs.command(f"{here}.runs:{name}_run{'s' if name == 'list' else ''}", name=name, help=what)
    app.command(runs)
    app.command(_quotes(here))
    app.command(f"{here}.serve:serve", name="serve", help="Run a server for any MCP client.")
    app.command(f"{here}.connect:connect", name="connect", help="Connect an MCP client.")
    grant = App(name="grant", help="Give an agent of another stack scoped access, and end it.")
    grant.command(f"{here}.grant:mint_grant", name="mint", help="Print a token for a few tools.")
    grant.command(f"{here}.grant:revoke_grant", name="revoke", help="End a grant at once.")
    app.command(grant)
    app.command(f"{here}.tools:tools", name="tools", help="Show which agent may use which tool.")
    app.command(
        f"{here}.setup:init", name="init", help="Make the data folder, with the demo company."
    )
    app.command(f"{here}.setup:doctor", name="doctor", help="Check that everything is in place.")
    app.command(
        f"{here}.importing:import_table", name="import", help="Import a CSV or JSON file of yours."
    )
    evals = App(name="eval", help="Compare with gold records.")
    evals.command(
        f"{here}.evals:quotes", name="quotes", help="Run every seed opportunity against its gold."
    )
    app.command(evals)
    return app


def _quotes(here: str) -> App:
    """Return `dealdesk quote`."""
    quote = App(name="quote", help="List, show and render quotes, and decide about them.")
    guide = "Propose floor, target and stretch, to a named person."
    quote.command(f"{here}.guiding:guide_quote", name="guide", help=guide)
    for name, what in (
        ("list", "List quotes, newest first."),
        ("show", "Show a quote in the terminal."),
    ):
        quote.command(
            f"{here}.quote:{name}_quote{'s' if name == 'list' else ''}", name=name, help=what
        )
    for name, what in (
        ("render", "Write a quote as HTML, Markdown, JSON, PDF or UBL XML."),
        ("verify", "Work out an exported quote again, from the file alone."),
        ("email", "Write an issued quote as an e-mail draft, which is never sent."),
    ):
        quote.command(f"{here}.papers:{name}_quote", name=name, help=what)
    for name, what in (
        ("request", "Ask for every approval a quote needs."),
        ("approve", "Approve what a quote waits for, as a named person."),
        ("reject", "Reject what a quote waits for, as a named person."),
        ("issue", "Issue a quote for which nothing is left to decide, as a named person."),
    ):
        quote.command(f"{here}.deciding:{name}_quote", name=name, help=what)
    for place, name, what in (
        ("comparing:explain_quote", "explain", "Tell how its numbers came about, step by step."),
        ("comparing:diff_quotes", "diff", "Show what differs between two revisions."),
        ("revising:revise_quote", "revise", "Change it by hand: the next revision."),
        ("closing:accept_quote", "accept", "Record that the customer accepted."),
        ("closing:withdraw_quote", "withdraw", "Take a quote back, as a named person."),
        ("closing:supersede_quote", "supersede", "Close it in favour of another."),
        ("reporting:report_quotes", "report", "Write quotes and their times as CSV."),
    ):
        quote.command(f"{here}.{place}", name=name, help=what)
    return quote


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every problem is one clear line and an exit code."""
    words = arguments if arguments is not None else sys.argv[1:]
    try:
        build()(words)
    except DealdeskError as problem:
        _say(problem.message, problem.fix)
        raise SystemExit(problem.exit_code) from None
    except KeyboardInterrupt:
        on = "; `dealdesk runs resume` goes on from here" if words[:1] in RUNNING else ""
        print(f"dealdesk: interrupted{on}.", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on
        raise SystemExit(0) from None
    except Exception as problem:  # what is left is a mistake of ours, or a server's last word
        if os.environ.get("DEALDESK_DEBUG"):
            raise
        _say(*_facts_of(problem))
        raise SystemExit(3 if getattr(problem, "code", "") == "STORAGE" else 1) from None


def _facts_of(problem: Exception) -> tuple[str, str]:
    """Return what a problem says and what helps; a server's own error says both."""
    if message := getattr(problem, "message", ""):
        return str(message), str(getattr(problem, "fix", ""))
    said = " ".join(str(problem).split()) or "no more is known"
    return f"{type(problem).__name__}: {said}", "DEALDESK_DEBUG=1 shows where"


def _say(message: str, fix: str) -> None:
    from dealdesk.cli.output import clean

    end = "" if message.endswith(("?", "!")) else "."
    words = f"{message.rstrip('.')}{end}" + (f" Try: {fix.rstrip('.')}." if fix else "")
    print(f"dealdesk: {clean(words, 2000)}", file=sys.stderr)


if __name__ == "__main__":
    main()
