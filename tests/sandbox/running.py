"""Runs small programs in a sandbox, for tests."""

import textwrap

from sdpo_gym.sandbox import Limits, Program


def run(sandbox, source, text="", limits=Limits()):
    """The result of a program in mode `stdin`."""
    [result] = sandbox.run(Program(textwrap.dedent(source), "stdin"), [text], limits)
    return result


def output(sandbox, source, text=""):
    """What a program that runs to its end prints."""
    result = run(sandbox, source, text)
    assert result.status == "ok", result
    return result.stdout


def call(sandbox, source, arguments="", limits=Limits()):
    """The result of a program in mode `function` that defines `f`."""
    [result] = sandbox.run(Program(textwrap.dedent(source), "function", "f"), [arguments], limits)
    return result
