"""The filter of system calls, run by a small interpreter of its instructions, on both architectures."""

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WORKER = Path(__file__).parents[2] / "sdpo_gym" / "sandbox" / "worker"

PID = 4711
ALLOW, REFUSE, UNKNOWN, KILL = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


@pytest.fixture(scope="module")
def seccomp():
    """The worker's module, which imports its neighbours as the worker does."""
    sys.path.insert(0, str(WORKER))
    try:
        import seccomp

        yield seccomp
    finally:
        sys.path.remove(str(WORKER))


def verdict(program, architecture, number, arguments=(0,) * 6):
    """What the kernel would do about a call (see its userspace-api/seccomp_filter)."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments)
    accumulator = at = 0
    while True:
        code, if_true, if_false, value = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_number_is_treated_as_the_table_says(seccomp, name):
    program = seccomp.Filter(name).program(PID)
    column = list(ARCHITECTURES).index(name)
    allowed = {numbers[column] for numbers in seccomp.ALLOWED.values()}
    tables = (
        seccomp.CLONE, seccomp.PRCTL, seccomp.PRLIMIT64, seccomp.IOCTL, seccomp.FCNTL, seccomp.SOCKETPAIR,
        seccomp.SENDTO, seccomp.RECVFROM, seccomp.KILL, seccomp.TGKILL,
    )  # fmt: skip
    depends = {table[name] for table in tables}
    assert not depends & allowed
    for number in [*range(1200), 2**30 - 1, 2**31, 2**32 - 1]:
        found = verdict(program, ARCHITECTURES[name], number)
        if number in allowed:
            assert found == ALLOW, number
        elif number == seccomp.CLONE3 or (name == "x86_64" and number >= 1 << 30):
            assert found == UNKNOWN, number
        elif number not in depends:
            assert found == REFUSE, number


@pytest.mark.parametrize("name", ARCHITECTURES)
@given(number=st.integers(0, 600), other=st.integers(0, 2**32 - 1))
@settings(max_examples=200)
def test_calls_of_another_architecture_end_the_process(seccomp, name, number, other):
    if other != ARCHITECTURES[name]:
        assert verdict(seccomp.Filter(name).program(PID), other, number) == KILL


@pytest.mark.parametrize("name", ARCHITECTURES)
@given(
    values=st.lists(
        st.sampled_from([0, 1, 2, 9, 15, PID, PID + 1, 0x5401, 0x10000, 1 << 32, 2**64 - 1]), min_size=6, max_size=6
    )
)
@settings(max_examples=200)
def test_what_depends_on_arguments(seccomp, name, values):
    program = seccomp.Filter(name).program(PID)
    low = [value & 0xFFFFFFFF for value in values]

    def allowed(table):
        found = verdict(program, ARCHITECTURES[name], table[name], values)
        assert found in (ALLOW, REFUSE)
        return found == ALLOW

    assert allowed(seccomp.CLONE) == bool(low[0] & seccomp.CLONE_THREAD)
    assert allowed(seccomp.KILL) == allowed(seccomp.TGKILL) == (low[0] == PID)
    assert allowed(seccomp.PRLIMIT64) == (low[0] in (0, PID))
    assert allowed(seccomp.PRCTL) == (low[0] in seccomp.PR_NAMES)
    assert allowed(seccomp.IOCTL) == (low[1] in seccomp.IOCTLS)
    assert allowed(seccomp.FCNTL) == (low[1] in seccomp.FCNTLS)
    assert allowed(seccomp.SOCKETPAIR) == (low[0] == seccomp.AF_UNIX)
    assert allowed(seccomp.SENDTO) == allowed(seccomp.RECVFROM) == (values[4] == 0)
