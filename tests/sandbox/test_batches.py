"""Inputs that share a process: the results are those of a process for each."""

import contextlib
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdpo_gym.sandbox import Limits, LocalSandbox, Program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")

LIMITS = Limits(cpu_seconds=0.3, wall_seconds=0.6, output_bytes=20_000)

# What each word makes the program do. "right" and its like are what a judge accepts here.
DEEDS = """
import atexit, os, sys, threading, time
word = sys.stdin.read().strip()
def deed():
    if word == "right": print("good")
    if word == "wrong": print("bad")
    if word == "silent": pass
    if word == "loud": print("loud")
    if word == "raise": raise ValueError(word)
    if word == "leave": sys.exit(3)
    if word == "leave right": print("good", flush=True); sys.exit()
    if word == "vanish": os._exit(0)
    if word == "vanish right": print("good", flush=True); os._exit(0)
    if word == "vanish badly": print("good", flush=True); os._exit(1)
    if word == "die": os.kill(os.getpid(), 9)
    if word == "hang": time.sleep(9)
    if word == "spin":
        while True: pass
    if word == "pause": time.sleep(0.03); print("good")
    if word == "much": print("x" * 15_000)
    if word == "too much": print("x" * 30_000)
    if word == "thread": threading.Thread(target=lambda: print("good")).start()
    if word == "daemon": threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); print("good")
    if word == "at exit": atexit.register(print, "good")
    if word == "close": print("good", flush=True); os.close(0); os.close(1)
    if word == "close all": print("good", flush=True); os.closerange(0, 99)
    if word == "rewind": print("nothing", flush=True); os.lseek(1, 0, 0); print("good   ")
    if word == "empty": print("nothing", flush=True); os.ftruncate(1, 0); os.lseek(1, 0, 0); print("good")
    if word == "spoil": sys.stdout = None; os.ftruncate(1, 0)
    if word == "remember": sys.seen = True; print("good")
    if word == "recall": print("bad" if hasattr(sys, "seen") else "good")
    if word == "break": __builtins__.print = None; sys.setrecursionlimit(50); sys.path.clear()
deed()
"""
WORDS = [line.split('"')[1] for line in DEEDS.splitlines() if "if word ==" in line]
SLOW = {"hang", "spin", "pause"}
REVISIONS = {"rewind", "empty", "spoil"}
"""These change what earlier runs wrote, for better or worse."""

VALUES = """
import os, sys
def f(word):
    print(word, 'é')
    if word == 'close': sys.stdout.close()
    if word == 'close descriptors': os.closerange(0, 3)
    if word == 'replace': sys.stdout = None
    if word == 'buffer': sys.stdout.buffer.write(b'bytes')
    if word == 'read': assert sys.stdin.read() == ''
    return {'wrong': 2, 'long': [0] * 3000, 'longer': 'x' * 30_000}.get(word, 1)
"""
VALUE_WORDS = ["right", "wrong", "long", "longer", "read", "close", "close descriptors", "replace", "buffer"]


@pytest.fixture(scope="module")
def sandbox():
    with contextlib.closing(LocalSandbox(workers=1)) as made:
        yield made


def seen(results):
    return [
        (
            result.status,
            "good" if result.status == "ok" and accept(0, result) else result.stdout,
            result.value,
            result.signal,
            result.exception and (result.exception.type, result.exception.frames),
        )
        for result in results
    ]


def accept(index, result):
    return result.stdout.strip() in ("good", "x" * 15_000)


words = st.lists(st.sampled_from([word for word in WORDS if word not in SLOW | REVISIONS]), max_size=6)


@given(before=words, slow=st.sampled_from([None] * 8 + sorted(SLOW)), after=words)
@settings(max_examples=40)
def test_sharing_makes_no_difference(sandbox, before, slow, after):
    inputs = [*before, *([slow] if slow else []), *after]
    alone = sandbox.run(Program(DEEDS, "stdin"), inputs, LIMITS)
    shared = sandbox.run(Program(DEEDS, "stdin"), inputs, LIMITS, accept=accept)
    assert all(result.fresh for result in alone)
    assert seen(shared) == seen(alone)


@given(
    inputs=st.lists(
        st.sampled_from([word for word in WORDS if word not in SLOW | REVISIONS | {"remember", "recall", "break"}]),
        max_size=8,
    )
)
@settings(max_examples=40)
def test_sharing_makes_no_difference_where_everything_is_right(sandbox, inputs):
    """Silence too: a run that did not take place would be taken for one that says nothing."""
    alone = sandbox.run(Program(DEEDS, "stdin"), inputs, LIMITS)
    shared = sandbox.run(Program(DEEDS, "stdin"), inputs, LIMITS, accept=lambda index, result: True)
    assert [(r.status, r.stdout) for r in shared] == [(r.status, r.stdout) for r in alone]


@given(inputs=st.lists(st.sampled_from(["right", "wrong", "raise", "leave", *REVISIONS]), max_size=8))
@settings(max_examples=40)
def test_what_is_right_alone_is_right_when_shared(sandbox, inputs):
    alone = sandbox.run(Program(DEEDS, "stdin"), inputs, LIMITS)
    shared = sandbox.run(Program(DEEDS, "stdin"), inputs, LIMITS, accept=accept)
    for one, other in zip(alone, shared, strict=True):
        assert seen([one]) == seen([other]) or (other.status == "ok" and accept(0, other))


@given(inputs=st.lists(st.sampled_from(VALUE_WORDS), max_size=12))
@settings(max_examples=60)
def test_sharing_makes_no_difference_to_values(sandbox, inputs):
    program, texts = Program(VALUES, "function", "f"), [f'"{word}"' for word in inputs]
    alone = sandbox.run(program, texts, LIMITS)
    shared = sandbox.run(program, texts, LIMITS, accept=lambda index, result: result.value in (1, [0] * 3000))
    assert [(r.status, r.value, r.exception) for r in shared] == [(r.status, r.value, r.exception) for r in alone]
    if not {"replace", "close descriptors"} & set(inputs):  # calls that share a process share its standard output
        assert [result.stdout for result in shared] == [result.stdout for result in alone]


def test_every_run_of_a_batch_starts_anew(sandbox):
    source = """
        import random, sys
        n = int(input())
        assert input() == "end" and sys.stdin.read() == ""
        print(n, random.random(), "x" in globals(), sys.argv)
        x = 1
        sys.argv.append("y")
        sys.stdin.close()
    """
    results = sandbox.run(
        Program(textwrap.dedent(source), "stdin"), [f"{n}\nend" for n in range(300)], accept=lambda index, result: True
    )
    assert [result.status for result in results] == ["ok"] * 300
    assert [result.stdout.split(maxsplit=1)[0] for result in results] == [str(n) for n in range(300)]
    assert len({result.stdout.split(maxsplit=1)[1] for result in results}) == 1
    assert [result.fresh for result in results] == [True] + [False] * 299


def test_the_top_of_a_program_runs_once_for_all_calls_that_share_a_process(sandbox):
    source = """
        print("top")
        class Solution:
            def __init__(self):
                self.calls = 0
            def f(self, x):
                self.calls += 1
                return [x, self.calls]
    """
    program, inputs = Program(textwrap.dedent(source), "function", "f"), [str(x) for x in range(5)]
    shared = sandbox.run(program, inputs, accept=lambda index, result: True)
    assert [result.value for result in shared] == [[x, 1] for x in range(5)]
    assert [result.stdout for result in shared] == ["top\n", "", "", "", ""]
    alone = sandbox.run(program, inputs)
    assert [(result.value, result.stdout) for result in alone] == [([x, 1], "top\n") for x in range(5)]


def test_a_call_that_earlier_calls_spoil_runs_again_on_its_own(sandbox):
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return seen"
    results = sandbox.run(
        Program(source, "function", "f"), ["1", "2", "3"], accept=lambda index, result: result.value == [index + 1]
    )
    assert [result.value for result in results] == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("mode", "source"),
    [
        ("function", "import asyncio, logging\ndef f(x):\n    return x"),
        (
            "function",
            "import sys\nsys.setrecursionlimit(9**9)\ndef f(x, n=60_000):\n    return f(x, n - 1) if n else x",
        ),
        ("function", "import random\nrandom.seed(5)\ndef f(x):\n    return x"),
        ("stdin", "import threading\nthreading.Thread(target=lambda: print(input())).start()"),
        ("stdin", "import threading\nt = threading.Thread(target=lambda: print(input()))\nt.start()\nt.join()"),
        ("stdin", "import asyncio\nasync def main():\n    print(input())\nasyncio.run(main())"),
        ("stdin", "import sys\nprint(input())\nsys.stderr.close()"),
        ("stdin", "import io, sys\nsys.stderr = io.TextIOWrapper(sys.stderr.buffer)\nprint(input())"),
        ("stdin", "import atexit\ntext = input()\natexit.register(lambda: print(text))"),
    ],
)
def test_good_programs_go_on_sharing(sandbox, mode, source):
    program = Program(source, mode, "f" if mode == "function" else None)
    judged = []

    def judge(index, result):
        judged.append(index)
        return str(index) == (str(result.value) if mode == "function" else result.stdout.strip())

    results = sandbox.run(program, [str(x) for x in range(12)], accept=judge)
    assert judged == list(range(12))
    assert sum(result.fresh for result in results) <= 4  # each time that a batch took long there is a new process


@pytest.mark.parametrize(("seconds", "runs"), [(0, 11), (0.05, 7)])
def test_slow_programs_that_fail_are_not_run_twice(sandbox, seconds, runs):
    """Of seven inputs, all but the first two and the last fail; none of these shares a process if slow."""
    source = f"""
        import time
        def f(x):
            start = time.process_time()
            while time.process_time() < start + {seconds}: pass
            return x
    """
    judged = []

    def judge(index, result):
        judged.append(index)
        return result.value in (0, 1, 6)

    program = Program(textwrap.dedent(source), "function", "f")
    results = sandbox.run(program, [str(x) for x in range(7)], accept=judge)
    assert [result.value for result in results] == list(range(7))
    assert all(result.fresh for result in results[2:6])
    assert len(judged) == runs


def test_there_is_no_second_guess_at_a_single_test(sandbox):
    """Run again on its own, a program sees that its answer was wrong. Then all its answers are of that kind."""
    source = """
        import math
        math.runs = getattr(math, "runs", 0) + 1
        print("heads" if math.runs > 1 else "tails")
    """
    answers = ["tails", "heads", "heads", "tails", "heads", "tails"]
    judged = []

    def judge(index, result):
        judged.append(index)
        return result.stdout.strip() == answers[index]

    stopped = []
    results = sandbox.run(
        Program(textwrap.dedent(source), "stdin"),
        [""] * 6,
        accept=judge,
        stop=lambda index, result: stopped.append(index),
    )
    assert [result.stdout.strip() for result in results] == ["tails"] * 6
    assert all(result.fresh for result in results)
    assert stopped == [0, 1, 2, 0, 1, 2, 3, 4, 5]


def test_runs_that_begin_anew_have_all_the_time_again(sandbox):
    """Three runs of half a second until it is seen that the program does not bear sharing, then two more."""
    source = """
        import math, time
        time.sleep(0.5)
        math.runs = getattr(math, "runs", 0) + 1
        print("bad" if math.runs > 1 else "good")
    """
    program = Program(textwrap.dedent(source), "stdin")
    results = sandbox.run(program, [""] * 2, Limits(total_wall_seconds=2.2), accept=accept)
    assert [(result.stdout, result.fresh) for result in results] == [("good\n", True)] * 2


@pytest.mark.parametrize("seconds", [0.0, 0.03])
def test_no_time_is_spent_on_later_inputs(sandbox, seconds):
    """The last input takes three times the limit of one; the others, whose time could be used for it, next to none."""
    source = f"""
        import math, sys, time
        def work(seconds):
            start = time.process_time()
            while time.process_time() < start + seconds: pass
        def later():
            frame = sys._getframe()
            while frame.f_back:
                frame = frame.f_back
                yield from (value for value in frame.f_locals.values() if isinstance(value, list))
        n = input()
        work({seconds})
        done = math.__dict__.setdefault("done", [])
        if n != "heavy" and any(b"heavy" in inputs for inputs in later()):
            work(0.2)
            done.append(n)
        work(0.9 - 0.2 * len(done) if n == "heavy" else 0)
        print(n)
    """
    inputs = [str(n) for n in range(8)] + ["heavy"]
    results = sandbox.run(
        Program(textwrap.dedent(source), "stdin"), inputs, LIMITS, accept=lambda index, result: result.status == "ok"
    )
    assert [result.status for result in results] == ["ok"] * 8 + ["timeout"]


@pytest.mark.parametrize(
    "source",
    [
        """
        import os, sys
        class Stream:
            def __init__(self, file): self.fd, self.text = file.fileno(), ""
            def write(self, text): self.text += text
            def flush(self): os.write(self.fd, self.text.encode()); self.text = ""
        sys.stdout = Stream(sys.stdout)
        print(input())
        """,
        """
        import sys
        def answers():
            try: yield
            finally: print(text); sys.stdout.flush()
        generator = answers()
        next(generator)
        text = input()
        """,
        """
        class Answer:
            def __init__(self, text): self.text = text
            def __del__(self): print(shown(self.text))
        answer = Answer(input())
        def shown(text): return text
        """,
        """
        file = open(1, "w", closefd=False)
        file.write(input())
        """,
    ],
)
def test_what_is_written_when_a_program_ends_counts(sandbox, source):
    program = Program(textwrap.dedent(source), "stdin")
    results = sandbox.run(program, ["one", "two", "three"], accept=lambda index, result: result.stdout != "")
    assert [result.stdout.strip() for result in results] == ["one", "two", "three"]
    assert [result.fresh for result in results] == [True, False, False]


LAST = {
    "an exception": "raise ValueError",
    "a thread that goes on": "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "an exit handler": "atexit.register(os._exit, 0)",
    "os._exit": "os._exit(0)",
    "too little memory": "x = bytearray(10 ** 10)",
    "closed files": "sys.stdout.flush(); os.closerange(0, 99)",
}


@pytest.mark.parametrize("last", LAST.values(), ids=LAST)
def test_what_did_not_run_has_no_result(sandbox, last):
    """A process that ends behind one input has said nothing about the next, of which nothing may be right as well."""
    source = f"import atexit, os, sys, threading, time\nword = input()\nprint(word)\nif word == 'last':\n    {last}"
    results = sandbox.run(Program(source, "stdin"), ["one", "last", "two", "three"], accept=lambda index, result: True)
    assert [result.stdout for result in results if result.status == "ok"][-2:] == ["two\n", "three\n"]
    assert len(results) == 4


def test_judged_in_order_and_not_beyond_the_stop(sandbox):
    judged = []

    def stop(index, result):
        judged.append(index)
        return index == 7

    results = sandbox.run(
        Program("print(input())", "stdin"), [str(i) for i in range(20)], stop=stop, accept=lambda index, result: True
    )
    assert [result.stdout for result in results] == [f"{i}\n" for i in range(8)]
    assert judged == list(range(8))


def test_later_inputs_are_not_there_where_a_failure_counts(sandbox):
    """What a program says when it fails may be quoted to the model. It must not know the inputs that come later."""
    source = """
        import sys
        def inputs():
            frame = sys._getframe()
            while frame.f_back:
                frame = frame.f_back
                yield from (value for value in frame.f_locals.values() if isinstance(value, (bytes, list)))
        n = input()
        print(n if n != "3" else "failed " + str([value for value in inputs() if "hidden" in str(value)]))
    """
    inputs = ["1", "2", "3", "hidden 4", "hidden 5"]
    results = sandbox.run(
        Program(textwrap.dedent(source), "stdin"), inputs, accept=lambda index, r: r.stdout == inputs[index] + "\n"
    )
    assert [result.stdout.strip() for result in results] == ["1", "2", "failed []", "hidden 4", "hidden 5"]
    assert results[2].fresh


def test_later_inputs_are_not_there_either_where_no_time_is_left_for_a_failure_to_count(sandbox):
    source = """
        import sys, time
        n = input()
        if n == "2":
            frame = sys._getframe()
            while frame.f_back:
                frame = frame.f_back
                print([value for value in frame.f_locals.values() if isinstance(value, list)], flush=True)
            time.sleep(60)
        print(n)
    """
    assert sandbox.isolation  # its worker has started
    results = sandbox.run(
        Program(textwrap.dedent(source), "stdin"),
        ["1", "2", "hidden 3"],
        Limits(total_wall_seconds=2.0),
        accept=lambda index, result: result.status == "ok",
    )
    assert "hidden" not in "".join(result.stdout for result in results)


@pytest.mark.parametrize("count", [1, 2, 5, 64, 65, 200])
def test_any_number_of_inputs(sandbox, count):
    results = sandbox.run(
        Program("print(input()[::-1])", "stdin"), [f"{i}é" for i in range(count)], accept=lambda index, result: True
    )
    assert [result.stdout for result in results] == [f"{i}é"[::-1] + "\n" for i in range(count)]


def test_large_inputs_and_small_outputs(sandbox):
    inputs = ["x" * size for size in (1, 10, 40_000, 70_000, 3, 1_000_000, 5)]
    limits = Limits(output_bytes=100)
    results = sandbox.run(Program("print(len(input()))", "stdin"), inputs, limits, accept=lambda index, result: True)
    assert [(result.status, result.stdout) for result in results] == [("ok", f"{len(text)}\n") for text in inputs]
