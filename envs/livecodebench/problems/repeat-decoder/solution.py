text = input().strip()
k = int(input())


def parse(i):
    """The parts of the code from i on, as (length of one, times, letter or parts), and where it ends."""
    parts = []
    while i < len(text) and text[i] != ")":
        if text[i].isdigit():
            end = i
            while text[end].isdigit():
                end += 1
            inner, close = parse(end + 1)
            parts.append((sum(length * times for length, times, _ in inner), int(text[i:end]), inner))
            i = close + 1
        else:
            parts.append((1, 1, text[i]))
            i += 1
    return parts, i


def find(parts, index):
    for length, times, inner in parts:
        if index < length * times:
            return inner if isinstance(inner, str) else find(inner, index % length)
        index -= length * times
    return "-"


print(find(parse(0)[0], k - 1))
