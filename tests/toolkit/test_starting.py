import contextlib
import gc
import os
import subprocess
import sys

from dealdesk.cli.main import main

CODE = """
import gc, sys
from servers.toolkit.starting import start_quickly, started
start_quickly()
assert not gc.isenabled()
import key_value.aio
assert key_value.aio.disable_beartype
started()
assert gc.isenabled() and gc.get_freeze_count() > 0
"""


def test_garbage_is_collected_again_once_everything_is_open() -> None:
    clean = {k: v for k, v in os.environ.items() if k != "PY_KEY_VALUE_DISABLE_BEARTYPE"}
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=50, env=clean)


def test_a_program_that_calls_the_command_keeps_its_collector() -> None:
    with contextlib.suppress(SystemExit):
        main(["--version"])
    assert gc.isenabled()
