"""Programs at the edges of LiveCodeBench's rules, and by which documented difference they are judged otherwise.

`verdict` is ours. `difference` names the row of the table in docs/livecodebench.md that explains why the official
grader says the opposite; empty where it agrees.
"""

from __future__ import annotations

from dataclasses import dataclass

from official_grader import Grading

from envs.livecodebench.rows import Test
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key
from sdpo_gym import Task

TIMEOUT = 1


@dataclass(frozen=True)
class EdgeCase:
    name: str
    code: str
    tests: tuple[tuple[str, str], ...]
    verdict: bool
    difference: str = ""
    fn_name: str | None = None

    @property
    def grading(self) -> Grading:
        inputs, outputs = zip(*self.tests, strict=True)
        return Grading(self.code, inputs, outputs, self.fn_name, TIMEOUT)

    def solved(self) -> bool:
        """Whether this project's verifier accepts the program."""
        tests = [Test(text, output, visible=True) for text, output in self.tests]
        task = Task(self.name, ({"role": "user", "content": ""},), make_answer_key(self.fn_name, tests))
        return LiveCodeBenchVerifier(time_limit=TIMEOUT).verify(task, f"```python\n{self.code}\n```").success


def _compare(name: str, printed: str, expected: str, verdict: bool) -> EdgeCase:
    """What a program prints against what is expected."""
    return EdgeCase(f"output: {name}", f"print({printed!r}, end='')", (("", expected),), verdict)


def _value(name: str, value: str, expected: str, verdict: bool, difference: str = "", code: str = "") -> EdgeCase:
    """What a function returns against what is expected."""
    code = f"{code}def f(x):\n    return {value}"
    return EdgeCase(f"value: {name}", code, (("0", expected),), verdict, difference, "f")


SUM = (("1 2\n3\n", "6"), ("4 5\n6\n", "15"))
"""Tests of a program that adds the numbers of two lines."""


def _stdin(name: str, code: str, verdict: bool = True, difference: str = "", tests=SUM) -> EdgeCase:
    return EdgeCase(f"stdin: {name}", code, tests, verdict, difference)


DOUBLE = (("1", "2"), ("3", "6"))


def _function(name: str, code: str, verdict: bool = True, difference: str = "", tests=DOUBLE, fn="f") -> EdgeCase:
    return EdgeCase(f"function: {name}", code, tests, verdict, difference, fn)


OUTPUTS = [
    _compare("equal", "1 2\n3", "1 2\n3", True),
    _compare("trailing spaces", "1 2 \n3\t\n", "1 2\n3", True),
    _compare("leading spaces", "  1 2\n 3", "1 2\n3", True),
    _compare("blank lines around", "\n\n1\n2\n\n\n", "1\n2", True),
    _compare("CRLF", "1\r\n2\r\n", "1\n2\n", True),
    _compare("blank line inside", "1\n\n2", "1\n2", False),
    _compare("lines joined", "1 2 3", "1\n2\n3", False),
    _compare("line too many", "1\n2\n3", "1\n2", False),
    _compare("line missing", "1", "1\n2", False),
    _compare("nothing", "", "1", False),
    _compare("nothing expected", "", "\n", True),
    _compare("spaces between numbers", "1   2", "1 2", True),
    _compare("tab between numbers", "1\t2", "1 2", True),
    _compare("spaces between words", "a  b", "a b", False),
    _compare("word and number", "x 1.0", "x 1", False),
    _compare("number too many", "1 2 3", "1 2", False),
    _compare("upper case", "YES", "Yes", False),
    _compare("decimal point", "1.0", "1", True),
    _compare("exponent", "1e3", "1000", True),
    _compare("leading zeros", "007", "7", True),
    _compare("plus sign", "+7", "7", True),
    _compare("underscore", "1_000", "1000", True),
    _compare("full-width digit", "７", "7", True),
    _compare("minus zero", "-0", "0", True),
    _compare("infinity", "inf", "Infinity", True),
    _compare("same nan", "nan", "nan", True),
    _compare("other nan", "NaN", "nan", False),
    _compare("signalling nan", "sNaN", "1", False),
    _compare("rounding error", "0.30000000000000004", "0.3", False),
    _compare("fewer digits", "0.333333333", "0.33333333333", False),
    _compare("hexadecimal", "0x10", "16", False),
    _compare("comma", "1,000", "1000", False),
    _compare("ends with a dash", "a-", "a-", True),
    _compare("dash missing", "a", "a-", False),
    _compare("huge exponents", "1e999999999", "10e999999998", True),
    _compare("form feed within a line", "1\x0c2", "1 2", True),
    _compare("line separator", "1\u20282", "1\n2", False),
    _compare("non-breaking space", "1\xa02", "1 2", True),
    _compare("long integers", "9" * 5000, "9" * 5000 + ".0", True),
    _compare("true", "True", "true", False),
]

VALUES = [
    _value("equal list", "[1, 2]", "[1,2]", True),
    _value("tuple", "(1, 2)", "[1, 2]", True),
    _value("nested tuple", "[(1, 2)]", "[[1, 2]]", False),
    _value("set", "{1}", "[1]", False),
    _value("generator", "(i for i in [1])", "[1]", False),
    _value("range", "range(2)", "[0, 1]", False),
    _value("float for int", "2.0", "2", True),
    _value("int for float", "2", "2.0", True),
    _value("True for 1", "True", "1", True),
    _value("1 for true", "1", "true", True),
    _value("None for null", "None", "null", True),
    _value("None for 0", "None", "0", False),
    _value("rounding error", "0.1 + 0.2", "0.3", False),
    _value("text", "'a b'", '"a b"', True),
    _value("text for number", "'1'", "1", False),
    _value("bytes", "b'a'", '"a"', False),
    _value("nan", "float('nan')", "NaN", False),
    _value("infinity", "float('inf')", "Infinity", True),
    _value("dict", "{'a': [1]}", '{"a": [1]}', True),
    _value("int keys", "{1: 2}", '{"1": 2}', False),
    _value("order of keys", "{'b': 1, 'a': 2}", '{"a": 2, "b": 1}', True),
    _value("complex", "2 + 0j", "2", False, "plain-values"),
    _value("Decimal", "__import__('decimal').Decimal(2)", "2", False, "plain-values"),
    _value("Fraction", "__import__('fractions').Fraction(2)", "2", False, "plain-values"),
    _value("Counter", "Counter('aa')", '{"a": 2}', False, "plain-values"),
    _value("defaultdict", "defaultdict(int, a=2)", '{"a": 2}', False, "plain-values"),
    _value("always equal", "A()", "7", False, "no-fooling", "class A:\n    __eq__ = lambda self, other: True\n"),
    _value(
        "int that is always equal", "A()", "7", False, "no-fooling", "class A(int):\n    __eq__ = lambda a, b: True\n"
    ),
    _value("subclass of list", "A([1])", "[1]", False, "plain-values", "class A(list): pass\n"),
    _value("subclass of str", "A('x')", '"x"', False, "plain-values", "class A(str): pass\n"),
    _value("namedtuple", "A(1, 2)", "[1, 2]", False, "plain-values", "A = namedtuple('A', 'a b')\n"),
    _value("deque", "deque([1])", "[1]", False),
    _value("large integer", "10 ** 400", "1" + "0" * 400, True),
    _value("large integer for float", "10 ** 22", "1e22", True),
    _value("lone surrogate", "'\\ud800'", '"\\ud800"', True),
]

STDIN = [
    _stdin("input()", "a, b = map(int, input().split())\nprint(a + b + int(input()))"),
    _stdin("sys.stdin.read()", "import sys\nprint(sum(map(int, sys.stdin.read().split())))"),
    _stdin("sys.stdin.readline()", "import sys\nr = sys.stdin.readline\nprint(sum(map(int, r().split())) + int(r()))"),
    _stdin("sys.stdin.readlines()", "import sys\nprint(sum(map(int, ' '.join(sys.stdin.readlines()).split())))"),
    _stdin("for line in sys.stdin", "import sys\nprint(sum(int(x) for line in sys.stdin for x in line.split()))"),
    _stdin(
        "input() then sys.stdin.read()",
        "import sys\na = input()\nprint(sum(map(int, (a + ' ' + sys.stdin.read()).split())))",
        True,
        "",
    ),
    _stdin(
        "input() then readlines()",
        "import sys\na = input()\nprint(sum(map(int, (a + ' ' + ' '.join(sys.stdin.readlines())).split())))",
        True,
        "",
    ),
    _stdin(
        "readline ends with a line break",
        "import sys\nprint(6 if sys.stdin.readline()[-1] == '\\n' else 0)",
        True,
        "",
        SUM[:1],
    ),
    _stdin(
        "blank line in the input",
        "a = input()\nb = input()\nprint(a + input())",
        True,
        "",
        (("x\n\ny\n", "xy"),),
    ),
    _stdin("buffer.read()", "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))", True, "real-input"),
    _stdin(
        "buffer.readline() twice",
        "import sys\nr = sys.stdin.buffer.readline\nprint(sum(map(int, r().split())) + int(r()))",
        True,
        "real-input",
    ),
    _stdin(
        "input = buffer.readline",
        "import sys\ninput = sys.stdin.buffer.readline\na, b = map(int, input().split())\nprint(a + b + int(input()))",
        True,
        "real-input",
    ),
    _stdin("open(0)", "print(sum(map(int, open(0).read().split())))", True, "real-input"),
    _stdin(
        "open(0) line by line",
        "f = open(0)\nprint(sum(int(x) for line in f for x in line.split()))",
        True,
        "real-input",
    ),
    _stdin("os.read(0)", "import os\nprint(sum(map(int, os.read(0, 99).split())))", True, "real-input"),
    _stdin(
        "sys.stdin.fileno()",
        "import sys, os\nprint(sum(map(int, os.read(sys.stdin.fileno(), 99).split())))",
        True,
        "real-input",
    ),
    _stdin(
        "fileinput", "import fileinput\nprint(sum(int(x) for line in fileinput.input() for x in line.split()))", True
    ),
    _stdin(
        "until EOFError",
        "t = 0\ntry:\n    while True:\n        t += sum(map(int, input().split()))\nexcept EOFError:\n    print(t)",
    ),
    _stdin(
        "until EOFError, no line break at the end",
        "t = 0\ntry:\n    while True:\n        t += sum(map(int, input().split()))\nexcept EOFError:\n    print(t)",
        True,
        "",
        (("1\n2", "3"),),
    ),
    _stdin("too many input()", "input(); input(); input()\nprint(6)", False),
    _stdin("os.write(1)", "import os\nos.write(1, b'6')", True, "real-output", SUM[:1]),
    _stdin("sys.stdout.buffer", "import sys\nsys.stdout.buffer.write(b'6')", True, "real-output", SUM[:1]),
    _stdin("sys.__stdout__", "import sys\nsys.__stdout__.write('6')", True, "real-output", SUM[:1]),
    _stdin("sys.stdout.write", "import sys\nsys.stdout.write('6')", tests=SUM[:1]),
    _stdin("print(file=sys.stdout)", "import sys\nprint(6, file=sys.stdout, flush=True)", tests=SUM[:1]),
    _stdin("stderr", "import sys\nprint('debug', file=sys.stderr)\nprint(6)", tests=SUM[:1]),
    _stdin("sys.exit() after the answer", "import sys\nprint(6)\nsys.exit()", tests=SUM[:1]),
    _stdin("sys.exit(1) after the answer", "import sys\nprint(6)\nsys.exit(1)", tests=SUM[:1]),
    _stdin("exit() after the answer", "print(6)\nexit()", tests=SUM[:1]),
    _stdin("raise SystemExit", "print(6)\nraise SystemExit", tests=SUM[:1]),
    _stdin("quit() after the answer", "print(6)\nquit()", True, "exits", SUM[:1]),
    _stdin("os._exit(0) after the answer", "import os\nprint(6, flush=True)\nos._exit(0)", True, "exits", SUM[:1]),
    _stdin("error after the answer", "print(6)\n1 // 0", False, tests=SUM[:1]),
    _stdin("syntax error", "print(6", False, tests=SUM[:1]),
    _stdin("empty", "pass", False),
    _stdin("guard", "def main():\n    print(6)\nif __name__ == '__main__':\n    main()", tests=SUM[:1]),
    _stdin(
        "guard in double quotes", 'def main():\n    print(6)\nif __name__ == "__main__":\n    main()', tests=SUM[:1]
    ),
    _stdin("guard the other way round", "if '__main__' == __name__:\n    print(6)", True, "as-main", SUM[:1]),
    _stdin("guard that is not last", "if __name__ == '__main__':\n    print(6)\nx = 1", True, "as-main", SUM[:1]),
    _stdin("global at the top", "global n\nn = 6\nprint(n)", True, "", SUM[:1]),
    _stdin(
        "global in a function", "n = 5\ndef f():\n    global n\n    n += 1\nf()\nprint(n)", True, "as-main", SUM[:1]
    ),
    _stdin("exec", "exec('y = 6')\nprint(y)", True, "as-main", SUM[:1]),
    _stdin("globals()", "x = 6\nprint(globals()['x'])", True, "as-main", SUM[:1]),
    _stdin("import * in an if", "if True:\n    from math import *\nprint(gcd(6, 12))", True, "as-main", SUM[:1]),
    _stdin("from __future__", "from __future__ import annotations\nprint(6)", True, "as-main", SUM[:1]),
    _stdin("return at the top", "print(6)\nreturn", False, "as-main", SUM[:1]),
    _stdin(
        "nonlocal at the top", "n = 5\ndef f():\n    nonlocal n\n    n += 1\nf()\nprint(n)", False, "as-main", SUM[:1]
    ),
    _stdin("comprehension in a class", "n = 6\nclass A:\n    x = [n for _ in range(1)]\nprint(A.x[0])", tests=SUM[:1]),
    _stdin("recursive function", "def f(n):\n    return n and 1 + f(n - 1)\nprint(f(6))", tests=SUM[:1]),
    _stdin("deep recursion", "def f(n):\n    return n and 1 + f(n - 1)\nprint(f(20000) - 19994)", tests=SUM[:1]),
    _stdin("names of the preamble", "print(reduce(add, deque([1, 2, 3])) + gcd(4, 6) - 2)", tests=SUM[:1]),
    _stdin("long integers", "print(len(str(10 ** 40000)) - 39995)", tests=SUM[:1]),
    _stdin("too long integers", "print(len(str(10 ** 60000)) - 59995)", False, tests=SUM[:1]),
    _stdin(
        "thread", "import threading\nt = threading.Thread(target=lambda: print(6))\nt.start()\nt.join()", tests=SUM[:1]
    ),
    _stdin(
        "state between tests",
        "import math\nmath.n = getattr(math, 'n', 0) + 1\nprint(math.n)",
        True,
        "",
        (("", "1"), ("", "2")),
    ),
    _stdin(
        "broken module",
        "import math\nprint(math.floor(1.5))\nmath.floor = None",
        True,
        "fresh-state",
        (("", "1"), ("", "1")),
    ),
    _stdin("numpy", "import numpy as np\nprint(int(np.sum([1, 2, 3])))", tests=SUM[:1]),
    _stdin("too slow", "while True: pass", False),
    _stdin("sleeps", "import time\ntime.sleep(1.5)\nprint(6)", True, "cpu-time", SUM[:1]),
    _stdin("1.1 GB", "import mmap\nx = mmap.mmap(-1, 1100 << 20)\nprint(6)", False, "memory-limit", SUM[:1]),
    _stdin("3 MB of line breaks", "print('\\n' * (3 << 20))\nprint(6)", False, "output-limit", SUM[:1]),
    _stdin(
        "reads the judge's stack",
        "import sys\nframe = sys._getframe()\nwhile frame:\n"
        "    if 'gt_out' in frame.f_locals:\n        print(frame.f_locals['gt_out'])\n        break\n"
        "    frame = frame.f_back",
        False,
        "no-fooling",
    ),
]

FUNCTIONS = [
    _function("function", "def f(x):\n    return 2 * x"),
    _function("method", "class Solution:\n    def f(self, x):\n        return 2 * x"),
    _function("annotated", "class Solution:\n    def f(self, x: List[int]) -> Optional[int]:\n        return 2 * x"),
    _function("lambda", "f = lambda x: 2 * x"),
    _function("static method", "class Solution:\n    @staticmethod\n    def f(x):\n        return 2 * x"),
    _function("callable object", "class F:\n    def __call__(self, x):\n        return 2 * x\nf = F()"),
    _function("bound method", "class A:\n    def g(self, x):\n        return 2 * x\nf = A().g"),
    _function(
        "__init__ with state",
        "class Solution:\n    def __init__(self):\n        self.two = 2\n"
        "    def f(self, x):\n        return self.two * x",
    ),
    _function(
        "helper method",
        "class Solution:\n    def g(self, x):\n        return 2 * x\n    def f(self, x):\n        return self.g(x)",
    ),
    _function("prints as well", "def f(x):\n    print('debug')\n    return 2 * x"),
    _function("prints instead", "def f(x):\n    print(2 * x)", False),
    _function("other name", "def g(x):\n    return 2 * x", False),
    _function("other argument count", "def f():\n    return 2", False),
    _function("default argument", "def f(x, factor=2):\n    return factor * x"),
    _function("error", "def f(x):\n    return [][x]", False),
    _function("exit", "import sys\ndef f(x):\n    sys.exit()", False),
    _function("exit at the top", "import sys\nsys.exit()", False),
    _function("guarded call", "def f(x):\n    return 2 * x\nif __name__ == '__main__':\n    1 // 0"),
    _function("call at the top", "def f(x):\n    return 2 * x\nprint(f(3))"),
    _function("reads input at the top", "def f(x):\n    return 2 * x\nimport sys\nsys.stdin.read()"),
    _function(
        "class Solution in a comment", "# no class Solution\ndef f(x):\n    return 2 * x", True, "finds-function"
    ),
    _function(
        "function beside a class Solution", "class Solution: pass\ndef f(x):\n    return 2 * x", True, "finds-function"
    ),
    _function("arguments with spaces", "def f(x, y):\n    return x[0] + y", tests=(('["a b", "c"]\n" d"', '"a b d"'),)),
    _function(
        "trailing line break in the arguments", "def f(x):\n    return 2 * x", True, "argument-lines", (("1\n", "2"),)
    ),
    _function("no arguments", "def f():\n    return 2", True, "argument-lines", (("", "2"),)),
    _function(
        "state of Solution",
        "class Solution:\n    n = 0\n    def f(self, x):\n        self.n += 1\n        return self.n",
        False,
        "fresh-state",
        (("0", "1"), ("0", "2")),
    ),
    _function(
        "mutable default",
        "def f(x, seen=[]):\n    seen.append(x)\n    return len(seen)",
        True,
        "fresh-state",
        (("0", "1"), ("0", "1")),
    ),
    _function("cache", "@lru_cache(None)\ndef f(x):\n    return 2 * x"),
    _function("changes its argument", "def f(x):\n    x.append(1)\n    return x", tests=(("[]", "[1]"),)),
    _function("a name of the preamble", "pass", False, "no-fooling", (("4\n6", "2"),), "gcd"),
    _function("long loop", "def f(x):\n    while True: pass", False),
    _function(
        "long loop that swallows the time limit",
        "def f(x):\n    try:\n        for i in count(): pass\n    except Exception:\n        return 2 * x",
        False,
        "no-fooling",
    ),
    _function("value of numpy", "import numpy\ndef f(x):\n    return numpy.int64(2 * x)", False, "plain-values"),
    _function("float of numpy", "import numpy\ndef f(x):\n    return numpy.float64(2 * x)", False, "plain-values"),
]

EDGE_CASES = [*OUTPUTS, *VALUES, *STDIN, *FUNCTIONS]
