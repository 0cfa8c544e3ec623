import random

PUBLIC = ["2(ab3(c))d\n7\n", "x0(y)z\n3\n"]


def code(rng: random.Random, depth: int, most: int) -> str:
    parts = []
    for _ in range(rng.randint(2, 3)):
        if depth > 0 and rng.random() < 0.7:
            parts.append(f"{rng.randint(0, most)}({code(rng, depth - 1, most)})")
        else:
            parts.append(rng.choice("abcdefgh"))
    return "".join(parts)


def generate(rng: random.Random) -> list:
    deep = "1000000(abc1000000(de1000(fg)h)ij)k"
    cases = ["a\n1\n", "a\n2\n", "3(ab)\n6\n", "3(ab)\n7\n", "12(ab)c\n25\n", "1(x1(y1(z)))w\n3\n", "0(a)2(bc)\n4\n"]
    for depth, most in [(1, 4), (2, 4), (3, 3), (3, 12)]:
        text = code(rng, depth, most)
        while len(text) > 200 or len(text) < 8:
            text = code(rng, depth, most)
        cases.append(f"{text}\n{rng.randint(2, 12)}\n")
    cases += [f"{deep}\n{k}\n" for k in (4 + 2003 * 10**6, 987654321987654, 10**15)]
    return cases
