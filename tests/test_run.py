"""The command that runs all checks: what runs beside the tests is shown, counted, and fails the run."""

from __future__ import annotations

import sys
import time

import pytest

from tests import run


@pytest.fixture
def steps(monkeypatch):
    """Return `steps(NAME=function, …)`, which runs these and gives the exit status."""

    def start(**functions):
        monkeypatch.setattr(run, "STEPS", functions)
        monkeypatch.setattr(run, "compile_once", lambda: None)
        monkeypatch.setattr(sys, "argv", ["run.py", *functions])
        return run.main()

    return start


def saying(words: str, passed: bool):
    def step() -> bool:
        """Say something."""
        return run.run(sys.executable, "-c", f"print({words!r})") and passed

    return step


@pytest.mark.parametrize("good", [True, False])
def test_a_step_beside_the_tests_says_what_it_found_and_decides_too(steps, capfd, good):
    assert steps(types=saying("3 errors", good), unit=saying("all is well", True)) == (0 if good else 1)
    out = capfd.readouterr().out
    assert out.index("== unit: Say something.") < out.index("all is well") < out.index("== types: Say something.")
    assert out.index("== types: Say something.") < out.index("3 errors") < out.index("== summary")
    lines = out[out.index("== summary") :].splitlines()[1:]
    assert [line.split()[:2] for line in lines[:2]] == [["types", "passed" if good else "FAILED"], ["unit", "passed"]]
    assert lines[0].endswith("s  (beside the others)")
    assert lines[2].split()[0] == "all" and len(lines) == 3


def test_a_program_that_cannot_be_had_fails_its_step_with_its_reason(steps, capfd):
    def programs() -> bool:
        """Have what the system brings."""
        raise RuntimeError("chromium is needed.")

    assert steps(programs=programs, unit=saying("all is well", True)) == 1
    assert "chromium is needed." in capfd.readouterr().out


def test_what_failed_among_others_is_judged_when_the_others_are_done(steps, monkeypatch, capfd):
    ran = []

    def unit() -> bool:
        """Take a while."""
        time.sleep(0.3)
        ran.append("unit")
        return True

    def pretend(*words):
        ran.append("alone" if "--last-failed" in words else "beside")
        return "--last-failed" in words

    def whole() -> bool:
        """Start sites."""
        return run.run_waiting("tests/e2e")

    monkeypatch.setattr(run, "run", pretend)
    assert steps(unit=unit, whole=whole) == 0
    assert ran == ["beside", "unit", "alone"]
    lines = capfd.readouterr().out.partition("== summary")[2].splitlines()[1:]
    assert [line.split()[:2] for line in lines[:2]] == [["unit", "passed"], ["whole", "passed"]]
    assert lines[0].endswith("(beside the others)") and not lines[1].endswith("(beside the others)")


def test_what_is_compiled_is_kept_whatever_the_machine_says(monkeypatch, capfd):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert run.run(sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)")
    assert capfd.readouterr().out == "False\n"


def test_the_first_fit_compiles_what_fits_need():
    exec(run.FIRST_FIT, {})


def test_an_unknown_step_is_named(monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["run.py", "unit", "everything"])
    assert run.main() == 2
    assert capfd.readouterr().err.startswith("No step everything; there are: programs style types")
